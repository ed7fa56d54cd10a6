// node report.mjs FOLDER [SHOTS]: opens FOLDER/report.html in Chromium as a desktop, a phone and paper see it, and asserts on
// what is drawn: marks where the data say, lines in their colours, hover, the switch of the axis, no request to any network, nothing
// wider than the screen. Screenshots go to SHOTS. Speaks TAP.
import fs from 'node:fs';
import path from 'node:path';
import {pathToFileURL} from 'node:url';

import {launch} from './chromium.mjs';

const folder = path.resolve(process.argv[2]);
const shots = process.argv[3];
const ladder = JSON.parse(fs.readFileSync(path.join(folder, 'ladder.json')));
const points = JSON.parse(fs.readFileSync(path.join(folder, 'points.json')));

let number = 0;
let failed = 0;
function check(what, good, detail = '') {
  ++number;
  failed += !good;
  console.log(`${good ? 'ok' : 'not ok'} ${number} - ${what}`);
  if (!good) console.log(`# ${detail}`);
}

const browser = await launch();

async function open(options) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const said = [];
  const requests = [];
  page.on('pageerror', (error) => said.push(error.message));
  page.on('request', (request) => { if (!/^(file|data):/.test(request.url())) requests.push(request.url()); });
  await page.goto(pathToFileURL(path.join(folder, 'report.html')).href);
  return {page, said, requests};
}

async function shoot(page, name, options = {}) {
  const png = await page.screenshot({...options, path: shots && path.join(shots, `${name}.png`)});
  return png;
}

// Counts the pixels of an element's picture that have a colour, decoded by the browser itself.
async function count(page, png, colour) {
  return page.evaluate(async ([data, [r, g, b]]) => {
    const image = new Image();
    image.src = `data:image/png;base64,${data}`;
    await image.decode();
    const canvas = document.createElement('canvas');
    canvas.width = image.width;
    canvas.height = image.height;
    const context = canvas.getContext('2d');
    context.drawImage(image, 0, 0);
    const pixels = context.getImageData(0, 0, image.width, image.height).data;
    let found = 0;
    for (let i = 0; i < pixels.length; i += 4)
      if (Math.abs(pixels[i] - r) < 8 && Math.abs(pixels[i + 1] - g) < 8 && Math.abs(pixels[i + 2] - b) < 8) ++found;
    return found;
  }, [png.toString('base64'), colour]);
}

function rgb(hex) {
  return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
}

// A desk.
{
  const {page, said, requests} = await open({viewport: {width: 1100, height: 900}, colorScheme: 'light'});
  check('the page runs without an error', said.length === 0, said.join('; '));
  check('nothing is fetched from anywhere', requests.length === 0, requests.join(' '));
  const chart = page.locator('.log svg.chart');
  const rings = await chart.locator('circle.rung').evaluateAll((all) => all.map((c) => ({x: +c.getAttribute('cx'), y: +c.getAttribute('cy')})));
  check('a ring for every rung', rings.length === ladder.ladder.length, `${rings.length} of ${ladder.ladder.length}`);
  check('rings fall to the left', rings.every((ring, i) => i === 0 || (ring.x < rings[i - 1].x && ring.y > rings[i - 1].y)), JSON.stringify(rings));
  // On a logarithmic axis equal ratios are equal distances, whatever the scale.
  const rates = ladder.ladder.map((rung) => rung.kbps);
  if (rings.length > 2) {
    const [a, b, c] = [0, 1, rings.length - 1];
    const drawn = (rings[a].x - rings[b].x) / (rings[a].x - rings[c].x);
    const meant = Math.log(rates[a] / rates[b]) / Math.log(rates[a] / rates[c]);
    check('the logarithmic axis is one', Math.abs(drawn - meant) < 0.01, `${drawn} ${meant}`);
  }
  const dots = await chart.locator('circle:not(.rung)').count();
  check('a dot for every point', dots === points.points.length, `${dots} of ${points.points.length}`);
  const found = ladder.cross_overs.filter((cross) => cross.kbps).length;
  check('a mark for every cross-over', (await chart.locator('line.cross').count()) === found, `${found}`);
  check('hull and frontier are lines', (await chart.locator('polyline.hull, polyline.frontier').evaluateAll((all) => all.every((line) => line.points.numberOfItems > 1))));
  const colours = await chart.locator('polyline.curve').evaluateAll((all) => all.map((line) => line.getAttribute('stroke')));
  const png = await shoot(page, 'desk', {fullPage: true});
  const picture = await chart.screenshot();
  for (const colour of colours) {
    const n = await count(page, picture, rgb(colour));
    check(`a curve is painted in ${colour}`, n > 100, `${n} pixels`);
  }
  check('the page is not blank below the chart', png.length > 50000, `${png.length} bytes`);

  await chart.locator('circle.rung').first().hover({force: true});
  const tip = await page.locator('#tip').textContent();
  check('hovering a rung tells its rate', await page.locator('#tip').isVisible() && tip.includes(`${Math.round(rates[0])} kb/s`), tip);

  await page.locator('label[for=linear]').click();
  check('the switch shows the linear axis', await page.locator('.linear svg.chart').isVisible() && !(await chart.isVisible()));
  const linear = await page.locator('.linear circle.rung').evaluateAll((all) => all.map((c) => +c.getAttribute('cx')));
  if (linear.length > 2) {
    const last = linear.length - 1;
    const drawn = (linear[0] - linear[1]) / (linear[0] - linear[last]);
    const meant = (rates[0] - rates[1]) / (rates[0] - rates[last]);
    check('the linear axis is one', Math.abs(drawn - meant) < 0.01, `${drawn} ${meant}`);
  }
  const pairs = await page.locator('.pair img').evaluateAll(async (all) => {
    for (const image of all) { image.loading = 'eager'; await image.decode(); }
    return all.map((image) => `${image.naturalWidth}x${image.naturalHeight}`);
  });
  check('worst pictures come in pairs of one size', pairs.length === 2 * ladder.ladder.length && pairs.every((size) => size === pairs[0]), pairs.join(' '));
  await page.context().close();
}

// A phone, also in the dark.
for (const colorScheme of ['light', 'dark']) {
  const {page} = await open({viewport: {width: 390, height: 844}, deviceScaleFactor: 2, isMobile: true, hasTouch: true, colorScheme});
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  check(`nothing is wider than a phone (${colorScheme})`, width <= 390, `${width}`);
  const text = await page.locator('.log svg.chart text:not(.minor)').first().evaluate((node) => node.getBoundingClientRect().height);
  check(`labels can be read on a phone (${colorScheme})`, text >= 9, `${text} px high`);
  const boxes = await page.locator('.log svg.chart text[text-anchor=middle]:not(.minor)').evaluateAll((all) => all.map((node) => node.getBoundingClientRect()).filter((box) => box.width).map((box) => [box.left, box.right]));
  check(`labels do not overlap (${colorScheme})`, boxes.every((box, i) => i === 0 || box[0] >= boxes[i - 1][1]), JSON.stringify(boxes));
  await shoot(page, `phone-${colorScheme}`, {fullPage: true});
  await page.context().close();
}

// Paper.
{
  const {page} = await open({viewport: {width: 794, height: 1123}, colorScheme: 'dark'});
  await page.emulateMedia({media: 'print'});
  const ground = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  check('paper stays white', ground === 'rgb(255, 255, 255)', ground);
  check('no switch is printed', !(await page.locator('label[for=linear]').isVisible()));
  await shoot(page, 'paper', {fullPage: true});
  const pdf = await page.pdf({format: 'A4'});
  check('it prints', pdf.subarray(0, 4).toString() === '%PDF');
  await page.context().close();
}

await browser.close();
console.log(`1..${number}`);
process.exit(failed ? 1 : 0);
