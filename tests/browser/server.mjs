// A static file server on loopback with byte ranges, for players under test. Counts what each path was asked for.
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import {Transform} from 'node:stream';

const kTypes = {
  '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript', '.m3u8': 'application/vnd.apple.mpegurl',
  '.mpd': 'application/dash+xml', '.mp4': 'video/mp4', '.m4s': 'video/mp4', '.vtt': 'text/vtt', '.json': 'application/json',
};

/** `roots` maps a URL prefix to a folder; each reply is sent at `bytesPerSecond`. Resolves to {origin, requests, close}. */
export function serve(roots, bytesPerSecond = Infinity) {
  const requests = [];
  const server = http.createServer((request, response) => {
    const name = decodeURIComponent(new URL(request.url, 'http://x').pathname);
    const [prefix, folder] = Object.entries(roots).find(([p]) => name.startsWith(p)) ?? [];
    const file = folder && path.join(folder, path.normalize('/' + name.slice(prefix.length)));
    let size;
    try {
      size = fs.statSync(file).size;
    } catch {
      requests.push({name, status: 404});
      response.writeHead(404).end();
      return;
    }
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
    const from = range ? Number(range[1]) : 0;
    const to = range && range[2] ? Math.min(Number(range[2]), size - 1) : size - 1;
    const status = range ? (from < size ? 206 : 416) : 200;
    const entry = {name, status, bytes: to - from + 1, sent: 0}; // sent: into the socket, which may be closed early
    requests.push(entry);
    const headers = {'Content-Type': kTypes[path.extname(file)] ?? 'application/octet-stream', 'Accept-Ranges': 'bytes', 'Cache-Control': 'no-store'};
    if (status === 416) return void response.writeHead(416, {'Content-Range': `bytes */${size}`}).end();
    if (range) headers['Content-Range'] = `bytes ${from}-${to}/${size}`;
    headers['Content-Length'] = to - from + 1;
    response.writeHead(status, headers);
    if (request.method === 'HEAD' || size === 0) return void response.end();
    const paced = new Transform({
      transform(part, _encoding, done) {
        entry.sent += part.length;
        setTimeout(() => done(null, part), 1000 * part.length / bytesPerSecond);
      },
    });
    fs.createReadStream(file, {start: from, end: to}).pipe(paced).pipe(response);
  });
  return new Promise((resolve) =>
    server.listen(0, '127.0.0.1', () =>
      resolve({origin: `http://127.0.0.1:${server.address().port}`, requests, close: () => server.close()})));
}
