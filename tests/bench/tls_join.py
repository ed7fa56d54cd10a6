"""Viewers who all join at once over TLS: tls_join.py SERVER [VIEWERS] [RUNS]

SERVER is bench_origin_server. h2load opens one connection for each viewer (TLS 1.3, full handshakes, ECDSA P-256), each
asks once over HTTP/2; then the same before nginx with one worker, in turn, on the same cores. Prints when the last was
served. Then 200 who begin no handshake, or half of one, and how long a newcomer takes.
"""

import pathlib
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

NGINX = """daemon off; pid {folder}/nginx.pid; worker_processes 1; error_log {folder}/error.log;
events {{ worker_connections 8192; }}
http {{ access_log off; client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder}; ssl_session_cache off;
  server {{ listen 127.0.0.1:{port} ssl http2 backlog=4096; ssl_certificate {folder}/hull.pem; ssl_certificate_key {folder}/hull.pem;
    ssl_protocols TLSv1.2 TLSv1.3; root {folder}/www; }} }}
"""


def certificate(folder):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-keyout", folder / "key", "-out", folder / "crt"], check=True, capture_output=True)
    (folder / "hull.pem").write_text((folder / "key").read_text() + (folder / "crt").read_text())


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def start_nginx(folder):
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    port = free_port()
    (folder / "www").mkdir()
    (folder / "www" / "time").write_text("2026-01-01T00:00:00.000Z")
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port))
    server = subprocess.Popen([program, "-p", folder, "-e", folder / "error.log", "-c", folder / "nginx.conf"])
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return server, port
        except OSError:
            time.sleep(0.1)
    raise SystemExit((folder / "error.log").read_text())


def join(port, viewers):
    """Seconds until the last of them was served."""
    said = subprocess.run(["h2load", "-n", str(viewers), "-c", str(viewers), "-m", "1", f"https://127.0.0.1:{port}/time"],
                          capture_output=True, text=True, check=True).stdout
    if f"{viewers} succeeded, 0 failed" not in said:
        raise SystemExit(said)
    value, unit = re.search(r"finished in ([0-9.]+)(us|ms|s)", said).groups()
    return float(value) * {"us": 1e-6, "ms": 1e-3, "s": 1}[unit]


def newcomer(port):
    said = subprocess.run(["curl", "-sk", "--http2", "-o", "/dev/null", "-w", "%{http_code} %{time_total}", f"https://127.0.0.1:{port}/time"],
                          capture_output=True, text=True, check=True).stdout
    status, seconds = said.split()
    return float(seconds) if status == "200" else float("nan")


def main():
    server_program = sys.argv[1]
    viewers = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    runs = int(sys.argv[3]) if len(sys.argv) > 3 else 5
    for tool in ("h2load", "curl", "openssl"):
        if not shutil.which(tool):
            print(f"{tool} is not installed")
            return 77
    with tempfile.TemporaryDirectory(prefix="hull-join-") as name:
        folder = pathlib.Path(name)
        certificate(folder)
        origin = subprocess.Popen([server_program, folder / "hull.pem"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        nginx, nginx_port = start_nginx(folder)
        try:
            port = int(origin.stdout.readline())
            times = {"hull": [], "nginx": []}
            for _ in range(runs):
                times["hull"].append(join(port, viewers))
                times["nginx"].append(join(nginx_port, viewers))
            for who, seconds in times.items():
                print(f"{viewers} TLS viewers at once, {who}: last served after median {statistics.median(seconds):.2f} s of",
                      " ".join(f"{s:.2f}" for s in seconds))
            print(f"ratio of the medians {statistics.median(times['hull']) / statistics.median(times['nginx']):.2f}")
            alone = [newcomer(port) for _ in range(runs)]
            silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(200)]
            for client in silent[::2]:
                client.send(b"\x16\x03\x01\x02\x00\x01")
            beside = [newcomer(port) for _ in range(runs)]
            print(f"a newcomer: {statistics.median(alone):.3f} s alone, {statistics.median(beside):.3f} s beside 200 silent handshakes")
        finally:
            nginx.terminate()
            origin.stdin.close()
            nginx.wait()
            origin.wait()
    return 0


sys.exit(main())
