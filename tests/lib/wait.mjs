// Waiting with a deadline. Nothing here sleeps where an event can be awaited.

export const kPatience = 8000;

// `promise`, or an error that says what was waited for. `detail` is asked only then.
export function within(promise, what, { ms = kPatience, detail = () => '' } = {}) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no ${what} within ${ms} ms ${detail()}`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

// For what announces itself by no event (a key in Redis, a process table): asks until `probe` gives
// something truthy.
export async function eventually(probe, what, ms = kPatience) {
  const end = Date.now() + ms;
  for (;;) {
    const value = await probe();
    if (value) return value;
    if (Date.now() > end) throw new Error(`not within ${ms} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

// Messages in order of arrival; take() waits for the first that matches and removes it.
export class Inbox {
  constructor(name) {
    this.name = name;
    this.messages = [];
    this.waiting = [];
  }

  push(message) {
    const index = this.waiting.findIndex(({ matches }) => matches(message));
    if (index >= 0) this.waiting.splice(index, 1)[0].resolve(message);
    else this.messages.push(message);
  }

  take(matches, what, ms = kPatience) {
    const index = this.messages.findIndex(matches);
    if (index >= 0) return Promise.resolve(this.messages.splice(index, 1)[0]);
    const waiter = { matches };
    const arrival = new Promise((resolve) => {
      waiter.resolve = resolve;
    });
    this.waiting.push(waiter);
    const detail = () => `at ${this.name}; it has ${JSON.stringify(this.messages).slice(0, 500)}`;
    return within(arrival, what, { ms, detail }).finally(() => {
      this.waiting = this.waiting.filter((each) => each !== waiter);
    });
  }
}
