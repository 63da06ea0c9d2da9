# Runs one server in a folder of its own and leaves nothing behind, however the test process ends.
#
# usage: sh -c SCRIPT supervisor FOLDER SIGNAL
#
# The test process holds the other end of standard input, and nobody else does. The kernel closes it when that
# process ends, also by kill -9; end of file is therefore the order to stop. One line on standard input says that
# the files are in place: then `FOLDER/prepare.sh` runs to its end, and `FOLDER/serve.sh` becomes the server.
# FOLDER/pid holds the server's process id; FOLDER/ended exists once it, or its preparation, is over.
folder=$1
signal=$2
trap '' HUP INT TERM
mkdir -m 755 "$folder" || exit 1
cd "$folder" || exit 1
echo made
if read -r _; then
    (
        trap - HUP INT TERM
        timeout 60 sh -eu ./prepare.sh && sh -euc 'echo $$ >pid; . ./serve.sh'
        echo $? >ended
    ) >log 2>&1 </dev/null &
    while read -r _; do :; done
fi
# Nobody reads what is said from here on.
exec >/dev/null 2>&1
tries=0
while [ -e log ] && [ ! -e ended ]; do
    # Before there is a pid, the preparation is waited for: it takes a second, and at most its time limit.
    if [ -s pid ]; then
        if [ "$tries" -lt 200 ]; then kill -s "$signal" "$(cat pid)"; else kill -s KILL "$(cat pid)"; fi
        tries=$((tries + 1))
    fi
    sleep 0.05
done
cd /
rm -rf "$folder"
