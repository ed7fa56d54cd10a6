// node media.mjs FILE OUT: writes what mp4box.js finds in the samples of the first track, one after the other, and says how
// many there are, what they last together (ticks, and ticks a second), and what stands in the boxes of their description.
import {readFileSync, writeFileSync} from 'node:fs';
import {createFile} from 'mp4box';

const [name, out] = process.argv.slice(2);
const file = createFile();
const parts = [];
let count = 0, ticks = 0, scale = 0;
file.onError = (module, text) => {
  throw new Error(`${name}: ${module}: ${text}`);
};
file.onReady = (info) => {
  file.setExtractionOptions(info.tracks[0].id, null, {nbSamples: 100000});
  file.onSamples = (id, user, samples) => {
    for (const {data, duration, timescale} of samples) {
      parts.push(Buffer.from(data));
      count += 1;
      ticks += duration;
      scale = timescale;
    }
  };
  file.start();
};
const buffer = new Uint8Array(readFileSync(name)).buffer;
buffer.fileStart = 0;
file.appendBuffer(buffer);
file.flush();
writeFileSync(out, Buffer.concat(parts));

const skipped = ['start', 'hdr_size', 'data', 'size', 'boxes', 'has_unparsed_data', 'flags', 'version', 'type'];
const listed = (value) => value.map((item) => (typeof item === 'object' ? Object.values(item)[0] : item)).join('.');
const told = (box) => Object.entries(box).filter(([key]) => !skipped.includes(key))
  .map(([key, value]) => `${key}=${Array.isArray(value) ? listed(value) : value}`).join(',');
const entry = file.moov.traks[0].mdia.minf.stbl.stsd.entries[0];
const boxes = (entry.boxes ?? []).map((box) => `${box.type}:${told(box)}`);
console.log([entry.type, count, ticks, scale, ...boxes].join(' '));
