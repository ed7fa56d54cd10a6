// node samples.mjs FILE…: what mp4box.js extracts from the first track of each MP4 file. One line a file: codec, seconds the
// file claims (0 where it does not say), then decode time, duration (seconds) and size of each sample.
import {readFileSync} from 'node:fs';
import {createFile} from 'mp4box';

for (const name of process.argv.slice(2)) {
  const file = createFile();
  const line = [];
  file.onError = (module, text) => {
    throw new Error(`${name}: ${module}: ${text}`);
  };
  file.onReady = (info) => {
    line.push(info.tracks[0].codec, (info.isFragmented ? info.fragment_duration : info.duration) / info.timescale || 0);
    file.setExtractionOptions(info.tracks[0].id, null, {nbSamples: 1});
    file.onSamples = (id, user, samples) => {
      for (const {dts, duration, timescale, data} of samples) {
        line.push(dts / timescale, duration / timescale, data.length);
      }
    };
    file.start();
  };
  const buffer = new Uint8Array(readFileSync(name)).buffer;
  buffer.fileStart = 0;
  file.appendBuffer(buffer);
  file.flush();
  console.log(line.join(' '));
}
