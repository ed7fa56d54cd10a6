// docs/guides/nginx.conf in front of an encoder: node nginx.mjs SOURCE
// A growing object passes it chunk by chunk over TLS and HTTP/2, byte for byte, and every version of the playlists and
// the MPD that comes through keeps the rules.
import {execFileSync, spawn, spawnSync} from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import os from 'node:os';
import path from 'node:path';
import {skip} from './chromium.mjs';
import {freePort, here, startSource} from './measure.mjs';

const [program] = process.argv.slice(2);
const kNginx = '/usr/sbin/nginx', kVersions = 12;
if (!fs.existsSync(kNginx)) skip('nginx is not installed');
if (spawnSync('openssl', ['version']).status !== 0) skip('openssl is not installed');
let failures = 0;
const check = (holds, what) => {
  console.log(`${holds ? 'ok' : 'not ok'} ${what}`);
  if (!holds) ++failures;
};

const source = await startSource(program, {seconds: 90, sink: 'segment-duration=1000000000', audio: false});
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'hull-nginx-'));
execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost', '-keyout', `${folder}/hull.key`, '-out', `${folder}/hull.crt`],
             {stdio: 'ignore'});
const port = await freePort();
const settings = fs.readFileSync(path.join(here, '../../docs/guides/nginx.conf'), 'utf8')
  .replace('127.0.0.1:8080', new URL(source.url).host).replace('listen 443', `listen 127.0.0.1:${port}`)
  .replaceAll('/etc/ssl/hull', `${folder}/hull`).replace('worker_processes auto', 'worker_processes 1');
// Debian's folders of temporary files are root's.
const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`).join('\n');
fs.writeFileSync(`${folder}/nginx.conf`, `daemon off;\npid ${folder}/nginx.pid;\n${settings.replace('http {', `http {\n${temporary}`)}`);
const nginx = spawn(kNginx, ['-p', folder, '-e', `${folder}/error.log`, '-c', `${folder}/nginx.conf`], {stdio: 'inherit'});
process.on('exit', () => nginx.kill());
const ended = new Promise((done) => nginx.on('exit', done));

let session;
for (let tries = 0; !session; ++tries) {
  session = await new Promise((done) => {
    const attempt = http2.connect(`https://127.0.0.1:${port}`, {rejectUnauthorized: false});
    attempt.once('connect', () => done(attempt)).once('error', () => done(null));
  });
  if (!session && (tries > 50 || nginx.exitCode !== null)) throw new Error(`nginx did not start: ${fs.readFileSync(`${folder}/error.log`)}`);
  if (!session) await new Promise((done) => setTimeout(done, 100));
}
check(session.alpnProtocol === 'h2', 'HTTP/2 by ALPN');

/** GET through nginx: {status, body, events: [ms since the request, bytes]}. */
const get = (name) => new Promise((done, failed) => {
  const begun = Date.now(), parts = [], events = [];
  let status = 0;
  const stream = session.request({':path': `/${name}`});
  stream.on('response', (headers) => { status = headers[':status']; });
  stream.on('data', (data) => { parts.push(data); events.push([Date.now() - begun, data.length]); });
  stream.on('end', () => done({status, body: Buffer.concat(parts), events}));
  stream.on('error', failed);
  stream.end();
});
const direct = (name) => new Promise((done, failed) => {
  http.get(source.url + name, (reply) => {
    const parts = [];
    reply.on('data', (data) => parts.push(data));
    reply.on('end', () => done(Buffer.concat(parts)));
  }).on('error', failed);
});

// A number far ahead of the first segments would be refused, so the list is asked for until it has one.
let list, number;
do {
  await new Promise((done) => setTimeout(done, 100));
  list = await get('v1.m3u8');
  number = Number([...list.body.toString().matchAll(/EXT-X-PART:[^\n]*URI="v1\/(\d+)/g)].at(-1)?.[1]) + 1;
} while (!number);
const [through, straight] = await Promise.all([get(`v1/${number}.m4s`), direct(`v1/${number}.m4s`)]);
const moments = new Set(through.events.map(([at]) => Math.floor(at / 100)));
check(through.status === 200 && through.body.equals(straight), `segment ${number}: ${through.body.length} bytes, the same as without nginx`);
check(moments.size >= 4, `it came in ${through.events.length} pieces at ${moments.size} moments`);

fs.mkdirSync(`${folder}/versions`);
let [msn, part] = [number + 1, 0];
for (let version = 0; version < kVersions; ++version) {
  list = await get(`v1.m3u8?_HLS_msn=${msn}&_HLS_part=${part}`);
  check(list.status === 200, `version ${version} of the playlist: part ${part} of ${msn}`);
  fs.writeFileSync(`${folder}/versions/${version}.m3u8`, list.body);
  fs.writeFileSync(`${folder}/versions/${version}.mpd`, (await get('manifest.mpd')).body);
  const last = list.body.toString().match(/PRELOAD-HINT:TYPE=PART,URI="v1\/(\d+)\.(\d+)\.m4s/);
  [msn, part] = [Number(last[1]), Number(last[2])];
}
const names = fs.readdirSync(`${folder}/versions`).map((name) => `${folder}/versions/${name}`);
const lint = spawnSync(process.env.HULL_TOOL, ['lint', '--no-media', ...names], {encoding: 'utf8'});
check(lint.status === 0, `${names.length} versions: ${lint.stdout.trim().split('\n').at(-1)}`);
if (lint.status !== 0) console.log(lint.stdout, lint.stderr);

session.close();
nginx.kill();
await ended;
await source.stop();
fs.rmSync(folder, {recursive: true, force: true});
process.exit(failures ? 1 : 0);
