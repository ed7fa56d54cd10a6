// Input with holes in three players in headless Chromium: node holes.mjs SOURCE [HOLE_MS …]
// Asserts that each player goes on within the hole and half a second more, however often there is one.
import {launch} from './chromium.mjs';
import {measure, servePages, startSource} from './measure.mjs';

const [program, ...wanted] = process.argv.slice(2);
const holes = wanted.length ? wanted.map(Number) : [300, 1000];
const kEvery = 5000, kSeconds = 24, kWarm = 5;
const players = (process.env.PLAYERS ?? 'dash,hls,shaka').split(',');

const pages = await servePages();
const browser = await launch();
let failures = 0;
for (const hole of holes) {
  const source = await startSource(program, {seconds: 12 + players.length * (kSeconds + 6), sink: `hole=${hole}/${kEvery}`});
  await new Promise((done) => setTimeout(done, 5000));
  for (const player of players) {
    const {samples, ...result} = await measure(browser, pages, {url: source.url, player, target: player === 'hls' ? 0 : 1, seconds: kSeconds, warm: kWarm});
    const times = samples.map(([time]) => time).concat(kSeconds * 1000);
    const still = Math.max(...times.slice(1).map((time, i) => (times[i] > kWarm * 1000 ? time - times[i] : 0)), 0);
    const sound = result.pictures > 100 && still <= hole + 500;
    if (!sound) ++failures;
    console.log(`${sound ? 'ok' : 'not ok'} hole of ${hole} ms, ${player}: stood still for ${Math.round(still)} ms at most ${JSON.stringify(result)}`);
  }
  await source.stop();
}
await browser.close();
pages.close();
process.exit(failures ? 1 : 0);
