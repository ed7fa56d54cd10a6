#include "gst/origin/page.h"

#include <cstdlib>
#include <fstream>
#include <iterator>

namespace hull::origin {
namespace {

struct Library {
  const char *name; ///< under /player/
  const char *path; ///< in node_modules
};
constexpr Library kLibraries[] = {
    {"dash.js", "dashjs/dist/modern/umd/dash.all.min.js"},
    {"hls.js", "hls.js/dist/hls.min.js"},
    {"shaka.js", "shaka-player/dist/shaka-player.compiled.js"},
};

constexpr char kHead[] = R"html(<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>on air</title><link rel="icon" href="data:,">
<style>
body{margin:0;background:#111;color:#ddd;font:16px/1.5 system-ui,sans-serif;display:grid;justify-items:center;gap:1rem;padding:1rem}
video{width:min(100%,960px);background:#000;border-radius:6px}
b{font-size:2rem;font-variant-numeric:tabular-nums}a{color:#8cf}button{font:inherit;padding:.3em .8em;cursor:pointer}
code{background:#222;padding:.1em .4em;border-radius:4px}
</style>
)html";

constexpr char kWithout[] = R"html(
<h1>The stream is on air</h1>
<p>DASH: <a href="manifest.mpd">/manifest.mpd</a> &middot; HLS: <a href="master.m3u8">/master.m3u8</a></p>
<p>To watch it on this page, install the players and name their folder:</p>
<p><code>npm install dashjs hls.js shaka-player</code></p>
<p><code>hullcmafsink player-dir=$PWD/node_modules</code> or <code>export HULL_PLAYER_DIR=$PWD/node_modules</code></p>
</html>
)html";

// Latency is the wall clock minus the time the picture on screen was taken: availabilityStartTime or
// PROGRAM-DATE-TIME plus its media time, corrected by the origin's own clock at /time.
constexpr char kPlayer[] = R"html(
<video id="video" muted autoplay playsinline controls></video>
<div>latency <b id="latency">&ndash;</b> &middot; buffer <span id="buffer">&ndash;</span> &middot; stalls <span id="stalls">0</span></div>
<div id="buttons"></div>
<p>DASH: <a href="manifest.mpd">/manifest.mpd</a> &middot; HLS: <a href="master.m3u8">/master.m3u8</a></p>
<script>
const libraries = LIBRARIES, video = document.getElementById('video'), text = (id, value) => { document.getElementById(id).textContent = value; };
const query = new URLSearchParams(location.search), target = Number(query.get('target')) || 0;
let latency = () => NaN, skew = 0, stalls = 0, stop = () => {};
const load = name => new Promise((done, failed) => {
  const tag = document.createElement('script'); tag.src = 'player/' + name; tag.onload = done; tag.onerror = failed; document.head.append(tag);
});
const players = {
  async dash() {
    await load('dash.js');
    const player = dashjs.MediaPlayer().create();
    player.updateSettings({streaming: {delay: {liveDelay: target || NaN}, liveCatchup: {enabled: true, playbackRate: {min: -0.2, max: 0.2}}}});
    player.initialize(video, 'manifest.mpd', true);
    latency = () => player.getCurrentLiveLatency(); stop = () => player.destroy();
  },
  async hls() {
    await load('hls.js');
    // A worker for each track costs a tenth of a second at the start, and has nothing to do: the segments are CMAF.
    const player = new Hls({lowLatencyMode: true, maxLiveSyncPlaybackRate: 1.5, enableWorker: false, startFragPrefetch: true});
    player.loadSource('master.m3u8'); player.attachMedia(video);
    latency = () => player.playingDate ? (Date.now() + skew - player.playingDate) / 1000 : NaN; stop = () => player.destroy();
  },
  async shaka() {
    await load('shaka.js'); shaka.polyfill.installAll();
    const player = new shaka.Player(); await player.attach(video);
    player.configure({streaming: {lowLatencyMode: true, liveSync: {enabled: true, targetLatency: target || 1}}});
    await player.load('manifest.mpd');
    latency = () => player.getStats().liveLatency; stop = () => player.destroy();
  },
};
async function start(name) { await stop(); stalls = 0; await players[name](); video.play().catch(() => {}); }
for (const name of libraries) {
  const button = document.createElement('button'); button.textContent = name.replace('.js', '');
  button.onclick = () => start(button.textContent); document.getElementById('buttons').append(button, ' ');
}
video.addEventListener('waiting', () => { if (video.currentTime > 0) ++stalls; });
setInterval(() => {
  const now = latency(), end = video.buffered.length ? video.buffered.end(video.buffered.length - 1) - video.currentTime : 0;
  text('latency', Number.isFinite(now) ? now.toFixed(2) + ' s' : '–'); text('buffer', end.toFixed(2) + ' s'); text('stalls', stalls);
}, 250);
fetch('time').then(async reply => { skew = Date.parse(await reply.text()) - Date.now(); }).catch(() => {});
start(query.get('player') || libraries[0].replace('.js', ''));
</script>
</html>
)html";

} // namespace

std::map<std::string, std::string> load_players(const std::string &folder) {
  const char *from_environment = std::getenv("HULL_PLAYER_DIR");
  const std::string root = !folder.empty() ? folder : from_environment ? from_environment : "";
  std::map<std::string, std::string> found;
  if (root.empty()) return found;
  for (const Library &library : kLibraries) {
    std::ifstream file(root + "/" + library.path, std::ios::binary);
    if (file) found[library.name] = {std::istreambuf_iterator<char>(file), {}};
  }
  return found;
}

std::string player_page(const std::map<std::string, std::string> &libraries) {
  if (libraries.empty()) return std::string(kHead) + kWithout;
  std::string list = "[";
  for (const Library &library : kLibraries)
    if (libraries.contains(library.name))
      list += std::string(list.size() > 1 ? "," : "") + "'" + library.name + "'";
  std::string page = std::string(kHead) + kPlayer;
  page.replace(page.find("LIBRARIES"), 9, list + "]");
  return page;
}

} // namespace hull::origin
