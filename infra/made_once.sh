# Read by scripts that print a program which is made on this machine once, and kept. Several may ask at once: one makes it, and the
# others wait for that.

# What is not to be had here: one line that says why, and exit code 69.
unavailable() {
    echo "$1" >&2
    exit 69
}

# made_once NAME MADE SECONDS COMMAND: unless the file MADE of the folder of NAME is there, lets COMMAND make it, which bounds itself.
# Another is waited for at most SECONDS. Sets `folder`.
made_once() {
    folder="${XDG_CACHE_HOME:-$HOME/.cache}/domicile/$1"
    [ ! -e "$folder/$2" ] || return 0
    mkdir -p "$folder"
    exec 9>"$folder/lock"
    flock -w "$3" 9 || unavailable "$1 is still being made by another process after $3 s (see $folder/log)"
    [ -e "$folder/$2" ] || "$4" >"$folder/log" 2>&1 </dev/null || unavailable "$1 cannot be fetched or made (see $folder/log)"
}
