# shellcheck shell=sh
# What every artefact is made with. To be read by a script of this directory, in the top of the repository.
set -eu
umask 022
export LC_ALL=C.UTF-8
version=$(sed -n 's/.*static let number = "\(.*\)"$/\1/p' Sources/AcmeModules/Version.swift)
[ -n "$version" ] || { echo "Sources/AcmeModules/Version.swift has no version number." >&2; exit 1; }
# Equal commits give equal bytes.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH
architecture=$(uname -m)
binary=build/$architecture/acme-modules
[ -x "$binary" ] || { echo "There is no $binary: run make build." >&2; exit 1; }
out=build/release
mkdir -p "$out"
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
trap 'exit 1' INT TERM

# Copies what git knows below these paths, as it is now.
tracked() { # DIRECTORY PATH...
    mkdir -p "$1"
    into=$1
    shift
    git ls-files -z -- "$@" | tar --create --null --files-from=- | tar --extract --directory "$into"
}

# A tar archive that depends on nothing but names, contents and the time of the commit.
pack() { # ARCHIVE DIRECTORY NAME...
    archive=$1 directory=$2
    shift 2
    tar --create --directory "$directory" --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 \
        --numeric-owner --mode='u=rwX,go=rX' --format=ustar "$@" | gzip -9n >"$archive.new"
    mv "$archive.new" "$archive"
    echo "$archive"
}
