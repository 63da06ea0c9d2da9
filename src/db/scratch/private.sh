# Runs one server in a folder of its own and leaves nothing behind, however the process ends that asked for it.
#
# usage: sh -c SCRIPT twostep-scratch FOLDER SIGNAL PREPARE SERVE
#
# That process holds the other end of standard input, and nobody else does. The kernel closes it when the process ends,
# also by kill -9; end of file is therefore the order to stop. PREPARE runs to its end, then SERVE, which becomes the
# server; both are sh. FOLDER/pid holds the server's process id, and FOLDER/ended is there once it is over.
folder=$1
signal=$2
trap '' HUP INT TERM QUIT
umask 077
mkdir "$folder" || exit 1
cd "$folder" || exit 1
(
    trap - HUP INT TERM QUIT
    eval "$3" && sh -c "echo \$\$ >pid; $4"
    echo $? >ended
) >log 2>&1 </dev/null &
while read -r _; do :; done
# Nobody reads what is said from here on.
exec >/dev/null 2>&1
tries=0
while [ -d . ] && [ -e log ] && [ ! -e ended ]; do
    # Before there is a pid, the preparation is waited for: it takes a second or two.
    if [ -s pid ]; then
        if [ "$tries" -lt 100 ]; then kill -s "$signal" "$(cat pid)"; else kill -s KILL "$(cat pid)"; fi
        tries=$((tries + 1))
    fi
    sleep 0.05
done
cd /
rm -rf "$folder"
