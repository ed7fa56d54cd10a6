#!/usr/bin/env python3
"""VMAF: whole processes, processor time (user + system) per frame, median of five interleaved rounds.

One core each: gst-launch-1.0 with hullvmafsink reads the same raw files as libvmaf's own tool, `vmaf` on PATH.
Without that tool only our figures are printed. HULL_CPU=avx2 or scalar holds for both. FRAMES=48 and the like make
shorter clips, of which a larger part is what processes do before their first frame.
"""
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

ROUNDS = int(os.environ.get('ROUNDS', '5'))
FRAMES = int(os.environ.get('FRAMES', '144'))
# What lets files be read while a frame is scored, as users have it in any pipeline with threads.
AHEAD = 'queue max-size-buffers=2 max-size-bytes=0 max-size-time=0 ! '
shared = pathlib.Path(os.environ.get('HULL_SHARED', '../shared'))
clip = shared / 'media' / 'drive_1080p25_high_b.264'
peer = shutil.which('vmaf')
# Instruction sets that libvmaf is to leave alone: AVX-512, or all.
PEER_MASK = {'avx2': ['--cpumask', '48'], 'scalar': ['--cpumask', '255']}.get(os.environ.get('HULL_CPU'), [])


def run(command):
    """Processor and wall seconds, and the peak of resident memory in MiB, of a finished command."""
    pid = os.fork()
    if pid == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        os.execvp(command[0], command)
    begin = os.times().elapsed
    _, status, use = os.wait4(pid, 0)
    if status:
        sys.exit('failed: ' + ' '.join(command))
    return use.ru_utime + use.ru_stime, os.times().elapsed - begin, use.ru_maxrss / 1024


def ours(folder, width, height, models='vmaf_v0.6.1', inputs=1, threads=1, ahead=''):
    size = width * height * 3 // 2

    def source(name):
        return (f'filesrc location={folder}/{name}{height}.yuv blocksize={size} ! '
                f'video/x-raw,format=I420,width={width},height={height},framerate=25/1 ! {ahead}')

    text = (f'hullvmafsink name=v models={models} threads={threads} frame-messages=false alignment=index '
            + source('ref') + 'v.reference ')
    text += ' '.join(source('dis') + f'v.distorted_{i}' for i in range(inputs))
    return ['gst-launch-1.0', '-q'] + text.split()


def theirs(folder, width, height, models=('vmaf_v0.6.1',)):
    command = ['vmaf', '-r', f'{folder}/ref{height}.yuv', '-d', f'{folder}/dis{height}.yuv', '-w', str(width), '-h',
               str(height), '-p', '420', '-b', '8', '--threads', '1', '-q', '--json', '-o', f'{folder}/o.json']
    command += PEER_MASK
    for model in models:
        command += ['-m', f'version={model}:name={model.replace(".", "_")}']
    return command


def make(folder):
    ffmpeg = ['ffmpeg', '-v', 'error', '-y']
    raw = ['-f', 'rawvideo', '-pix_fmt', 'yuv420p']
    for height, width, frames in ((1080, 1920, FRAMES), (2160, 3840, max(4, FRAMES // 4))):
        subprocess.run(ffmpeg + ['-i', str(clip), '-frames:v', str(frames), '-vf', f'loop=-1:54,scale={width}:{height}'] + raw +
                       [f'{folder}/ref{height}.yuv'], check=True)
        rate = '1500k' if height == 1080 else '4000k'
        subprocess.run(ffmpeg + raw + ['-s', f'{width}x{height}', '-r', '25', '-i', f'{folder}/ref{height}.yuv', '-c:v',
                                       'libx264', '-threads', '1', '-b:v', rate, f'{folder}/d.mkv'], check=True)
        subprocess.run(ffmpeg + ['-i', f'{folder}/d.mkv'] + raw + [f'{folder}/dis{height}.yuv'], check=True)
        yield height, frames


def main():
    if not clip.exists() or not shutil.which('ffmpeg'):
        print('needs ../shared/media and ffmpeg: nothing to measure')
        return
    with tempfile.TemporaryDirectory() as folder:
        frames = dict(make(folder))
        neg = ('vmaf_v0.6.1', 'vmaf_v0.6.1neg')
        work = [  # name, frames scored, our command, the peer's, and how often the peer would have to run
            ('1080p pair', frames[1080], ours(folder, 1920, 1080), theirs(folder, 1920, 1080), 1),
            ('1080p v0.6.1 + NEG', frames[1080], ours(folder, 1920, 1080, ','.join(neg)),
             theirs(folder, 1920, 1080, neg), 1),
            ('6 renditions of one 1080p reference', frames[1080], ours(folder, 1920, 1080, inputs=6),
             theirs(folder, 1920, 1080), 6),
            ('2160p pair', frames[2160], ours(folder, 3840, 2160), theirs(folder, 3840, 2160), 1),
            ('1080p pair, reading ahead', frames[1080], ours(folder, 1920, 1080, ahead=AHEAD), None, 1),
            ('1080p pair, reading ahead, two threads', frames[1080],
             ours(folder, 1920, 1080, threads=2, ahead=AHEAD), None, 1)]
        figures = {name: ([], []) for name, *_ in work}
        for _ in range(ROUNDS):
            for name, _, mine, peers, _ in work:
                figures[name][0].append(run(mine))
                if peer and peers:
                    figures[name][1].append(run(peers))
        one = statistics.median(wall for _, wall, _ in figures['1080p pair, reading ahead'][0])
        for name, count, _, _, times in work:
            mine, peers = figures[name]
            cpu = statistics.median(f[0] for f in mine) * 1e3 / count
            line = f'{name:38} {cpu:7.1f} ms/frame CPU, {max(f[2] for f in mine):4.0f} MiB'
            if peers:
                other = statistics.median(f[0] for f in peers) * 1e3 / count * times
                line += f'   libvmaf {other:7.1f} ms  {other / cpu:.2f}x'
            if 'two threads' in name:
                wall = statistics.median(f[1] for f in mine)
                line += f'   {one / wall:.2f}x one thread by wall clock'
            print(line, flush=True)
        print('HULL_CPU =', os.environ.get('HULL_CPU', 'the best set of this machine'))


main()
