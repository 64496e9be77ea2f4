// The parts of the page that are there once: where a file is chosen, the link, notices, and what
// screen readers are told.
import { bytesText } from './figures.js';
import { qrOf } from './qr.js';

const kLogLength = 20;
const by = (id) => document.getElementById(id);

// Says something to who does not see the page.
export function announce(content) {
  const line = document.createElement('p');
  line.textContent = content;
  by('log').append(line);
  if (by('log').childElementCount > kLogLength) by('log').firstElementChild.remove();
}

// Says what is wrong; an empty text: nothing is any more.
export function notice(content) {
  if (by('notice').textContent === content) return;
  by('notice').textContent = content;
  by('notice').hidden = content === '';
}

export function head(title, lead) {
  by('title').textContent = title;
  by('lead').textContent = lead;
  document.title = `${title} – Signalbox`;
}

// What speaks against sending what is dropped, or nothing.
function objection({ items, files }) {
  const isFolder = [...items].some((item) => item.webkitGetAsEntry?.()?.isDirectory);
  if (isFolder) return 'A folder cannot be sent. Pack it into one file first.';
  return files.length > 1 ? 'Drop one file only. Several can be packed into one first.' : '';
}

// Gives the file that is chosen or dropped.
export function chooseFile() {
  by('choose').hidden = false;
  return new Promise((resolve) => {
    const over = (event) => {
      event.preventDefault();
      by('choose').classList.toggle('over', event.type === 'dragover');
    };
    const drop = (event) => {
      over(event);
      const trouble = objection(event.dataTransfer);
      notice(trouble);
      if (!trouble) take(event.dataTransfer.files);
    };
    const take = ([file]) => {
      if (!file) return;
      document.removeEventListener('dragover', over);
      document.removeEventListener('dragleave', over);
      document.removeEventListener('drop', drop);
      by('choose').hidden = true;
      notice('');
      resolve(file);
    };
    document.addEventListener('dragover', over);
    document.addEventListener('dragleave', over);
    document.addEventListener('drop', drop);
    by('file').addEventListener('change', () => take(by('file').files));
  });
}

// Whether the address is one that leads everybody to a machine of his own.
const isLoopback = (name) => /^(localhost|127(\.\d+){3}|\[::1\])$/.test(name);

export function showLink(url, file) {
  if (isLoopback(new URL(url).hostname)) {
    by('hint').append(' This address is one of this machine only: for others, open the page by its name.');
  }
  by('file-name').textContent = file.name;
  by('file-size').textContent = bytesText(file.size);
  by('link').value = url;
  by('qr').replaceChildren(qrOf(url, 'QR code of the link'));
  by('share').hidden = false;
  by('copy').onclick = () => copyLink();
  by('link').focus();
  by('link').select();
}

// The clipboard proper is there in secure contexts only.
async function copyLink() {
  by('link').select();
  if (navigator.clipboard) await navigator.clipboard.writeText(by('link').value);
  else document.execCommand('copy');
  by('copy').textContent = 'Copied';
  announce('The link is copied');
}
