// Debian's Chromium, headless and without any connection of its own. Exits 77 (meson: skipped) where it is missing.
import fs from 'node:fs';

export function skip(why) {
  console.log(`skipped: ${why}`);
  process.exit(77);
}

export async function launch() {
  const executablePath = '/usr/bin/chromium';
  if (!fs.existsSync(executablePath)) skip('Chromium is not installed');
  let chromium;
  try {
    ({chromium} = await import('playwright-core'));
  } catch {
    skip('playwright-core is not installed (npm install in tests/browser)');
  }
  return chromium.launch({
    executablePath,
    headless: true,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
           '--disable-component-update', '--disable-sync', '--autoplay-policy=no-user-gesture-required'],
  });
}
