// Which side this page is: with a room in its address it receives, unless the history says that it
// sends there (it has been reloaded).
import { isId, newId } from './ids.js';
import { receive } from './receiver.js';
import { send } from './sender.js';
import { chooseFile, head, notice, showLink } from './view.js';

async function sendTo(room) {
  const file = await chooseFile();
  head('Send a file', 'Straight from this browser to another one.');
  history.replaceState({ sending: file.name }, '', `#${room}`);
  showLink(location.href, file);
  await send(room, file);
}

function main() {
  const room = location.hash.slice(1);
  if (room === '') return sendTo(newId());
  if (!isId(room)) {
    head('Receive a file', 'This link is not complete. Ask for it again.');
    return null;
  }
  if (!history.state?.sending) return receive(room);
  head('Choose the file again', `This page was reloaded. Choose ${history.state.sending} again, and it goes on.`);
  return sendTo(room);
}

// Another link in the same tab is another transfer.
addEventListener('hashchange', () => location.reload());
Promise.resolve(main()).catch((error) => notice(`This does not work here: ${error.message}`));
