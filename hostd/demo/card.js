// What the page shows of one transfer: how the connection forms, how far the file is, the digests.
import { Speed, bytesText, kSpan, timeText } from './figures.js';
import { announce } from './view.js';

const kSteps = {
  room: 'Room',
  join: 'Join',
  offer: 'Offer',
  answer: 'Answer',
  candidates: 'Candidates',
  connected: 'Connected',
};
const kNames = Object.keys(kSteps);
const kInterval = 100; // ms between two pictures of the progress

function text(tag, className, content) {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = content;
  return element;
}

export class Card {
  constructor(title) {
    this.title = title;
    const { content } = document.getElementById('card');
    this.element = content.firstElementChild.cloneNode(true);
    const find = (selector) => this.element.querySelector(selector);
    find('h2').textContent = title;
    this.stateText = find('.state');
    this.transfer = find('.transfer');
    this.bar = find('progress');
    this.bar.setAttribute('aria-label', `${title}: progress`);
    this.amount = find('.amount');
    this.rate = find('.rate');
    this.hashes = find('.hashes');
    this.verdict = find('.verdict');
    this.save = find('.save');
    this.steps = kNames.map((name) => {
      const item = text('li', '', '');
      item.dataset.step = name;
      item.append(text('span', 'label', kSteps[name]), text('span', 'note', ''), text('span', 'hidden', ''));
      return item;
    });
    find('.steps').append(...this.steps);
    this.reset('room');
    document.getElementById('cards').append(this.element);
  }

  // Nothing that comes after `name` has been done, and that is under way.
  reset(name) {
    const index = kNames.indexOf(name);
    this.steps.forEach((item, i) => {
      this.mark(item, i < index ? 'done' : i === index ? 'now' : 'todo');
      if (i >= index) item.querySelector('.note').textContent = '';
    });
  }

  mark(item, state) {
    item.dataset.state = state;
    item.lastElementChild.textContent = { done: ', done', now: ', under way', todo: '' }[state];
    if (state === 'now') item.setAttribute('aria-current', 'step');
    else item.removeAttribute('aria-current');
  }

  // This step and all before it are done. Candidates go on until there is a connection.
  step(name, note = '') {
    const index = kNames.indexOf(name);
    const item = this.steps[index];
    item.querySelector('.note').textContent = note;
    if (name === 'candidates') return;
    if (item.dataset.state !== 'done') announce(`${this.title}: ${kSteps[name]}`);
    this.steps.forEach((each, i) => {
      if (i <= index) this.mark(each, 'done');
      else if (i === index + 1 && each.dataset.state !== 'done') this.mark(each, 'now');
    });
  }

  // `kind`: waiting, active, done or bad.
  state(content, kind) {
    if (this.stateText.textContent === content) return;
    this.stateText.textContent = content;
    this.element.dataset.kind = kind;
    announce(`${this.title}: ${content}`);
  }

  get kind() {
    return this.element.dataset.kind;
  }

  // The bytes move, from this many on.
  begin(bytes, total) {
    this.total = total;
    this.speed = new Speed();
    this.shown = -Infinity;
    this.quarter = Math.floor((4 * bytes) / total);
    this.transfer.hidden = false;
    this.hashes.replaceChildren();
    this.verdict.hidden = true;
    this.progress(bytes);
  }

  progress(bytes) {
    const now = performance.now();
    const whole = bytes === this.total;
    this.speed.add(bytes, now);
    clearTimeout(this.stall);
    if (!whole) this.stall = setTimeout(() => this.pause(), kSpan);
    if (now - this.shown < kInterval && !whole) return;
    this.shown = now;
    const part = this.total > 0 ? bytes / this.total : 1;
    this.bar.value = part;
    this.amount.textContent = `${bytesText(bytes)} of ${bytesText(this.total)}`;
    const speed = this.speed.value;
    const left = whole || speed === 0 ? '' : ` · ${timeText((this.total - bytes) / speed)} left`;
    this.rate.textContent = speed === 0 ? '' : `${bytesText(speed)}/s${left}`;
    const quarter = Math.floor(4 * part);
    if (quarter > this.quarter) announce(`${this.title}: ${25 * quarter} percent`);
    this.quarter = quarter;
  }

  // Nothing moves at the moment.
  pause() {
    clearTimeout(this.stall);
    this.rate.textContent = '';
  }

  remove() {
    this.pause();
    this.element.remove();
  }

  // The digests of the file here and there, and whether they are the same.
  compare(here, there) {
    this.hashes.replaceChildren();
    for (const [name, digest] of [['SHA-256 here', here], ['SHA-256 there', there]]) {
      const value = document.createElement('dd');
      value.append(text('code', '', digest));
      this.hashes.append(text('dt', '', name), value);
    }
    const same = here === there;
    this.verdict.textContent = same ? 'The digests match.' : 'The digests differ.';
    this.verdict.dataset.same = same;
    this.verdict.hidden = false;
    return same;
  }

  // A link that saves what was received.
  offerFile(blob, name) {
    if (this.save.href) URL.revokeObjectURL(this.save.href);
    this.save.href = URL.createObjectURL(blob);
    this.save.download = name;
    this.save.textContent = `Save ${name}`;
    this.save.hidden = false;
  }
}
