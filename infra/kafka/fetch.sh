#!/bin/sh
# Prints the folder with the jars of Apache Kafka, and fetches them first if they are not there yet. Several may do so at once.
# Where that is impossible: exit code 69 and one line that says why.
set -eu

java_min=17
here=$(cd "$(dirname "$0")" && pwd)
version=$(sed -n 's|.*<kafka.version>\(.*\)</kafka.version>.*|\1|p' "$here/pom.xml")
folder="${XDG_CACHE_HOME:-$HOME/.cache}/domicile/kafka"

unavailable() {
    echo "$1" >&2
    exit 69
}

command -v java >/dev/null 2>&1 || unavailable "no Java $java_min (install default-jre-headless and maven)"
java_version=$(java -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -n 1)
[ "${java_version:-0}" -ge "$java_min" ] || unavailable "no Java $java_min (java is ${java_version:-something else})"

if [ ! -d "$folder/$version" ]; then
    command -v mvn >/dev/null 2>&1 || unavailable "no Maven (install maven)"
    mkdir -p "$folder"
    # One at a time: Maven's own folder does not bear two. A fetch that was killed leaves `fetching`, never half a version.
    exec 9>"$folder/lock"
    flock 9
    if [ ! -d "$folder/$version" ]; then
        rm -rf "$folder/fetching"
        timeout 100 mvn --quiet --batch-mode --file "$here/pom.xml" dependency:copy-dependencies \
            -DincludeScope=runtime -DoutputDirectory="$folder/fetching" >"$folder/fetch.log" 2>&1 </dev/null ||
            unavailable "Maven cannot fetch Apache Kafka $version (see $folder/fetch.log)"
        mv "$folder/fetching" "$folder/$version"
    fi
fi
echo "$folder/$version"
