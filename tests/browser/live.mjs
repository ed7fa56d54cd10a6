// hullcmafsink in three players in headless Chromium: node live.mjs SOURCE [SECONDS]
// Asserts that nothing stalls, no reply is an error and, loosely, the latency; prints what it measured.
import os from 'node:os';
import {launch} from './chromium.mjs';
import {measure, servePages, startSource} from './measure.mjs';

const [program, seconds = '20'] = process.argv.slice(2);
const cases = [['dash', 1], ['hls', 0], ['shaka', 1]];
const kWarm = 6;

const pages = await servePages();
const browser = await launch();
const source = await startSource(program, {seconds: cases.length * (Number(seconds) + 6) + 20});
await new Promise((done) => setTimeout(done, 6000));
let failures = 0;
for (const [player, target] of cases) {
  const {samples, ...result} = await measure(browser, pages, {url: source.url, player, target, seconds: Number(seconds), warm: kWarm});
  const loose = (target || 1.5) + 1;
  const sound = result.pictures > 100 && result.stalls === 0 && result.median < loose && !result.missed.length &&
                !result.errors.some((error) => /fatal=true|shaka|media error/.test(error));
  if (!sound) ++failures;
  console.log(`${sound ? 'ok' : 'not ok'} ${JSON.stringify(result)}`);
}
console.log(`load ${os.loadavg()[0].toFixed(1)}`);
await source.stop();
await browser.close();
pages.close();
process.exit(failures ? 1 : 0);
