// Seconds of an MP4 file as mp4box.js sees it; nothing where the module is not installed.
import { readFileSync } from "node:fs";

const { createFile } = await import("mp4box").catch(() => process.exit(0));
const file = createFile();
file.onReady = (info) => {
  const ticks = info.isFragmented ? info.fragment_duration : info.duration;
  if (ticks / info.timescale > 0) console.log(ticks / info.timescale);
};
const bytes = readFileSync(process.argv[2]);
const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
buffer.fileStart = 0;
file.appendBuffer(buffer);
file.flush();
