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
# What a bastion needs beside the binary, in every form; of the lab, what pages of the documentation lead to.
shipped="ansible/library ansible/inventory ansible/lab/README.md ansible/lab/roles/letsencrypt_handlers playbooks roles docs
    README.md CHANGELOG.md CONTRIBUTING.md LICENSE"
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

# Puts an agent where the role letsencrypt_install looks for it in that tree.
agent() { # DIRECTORY build/ARCHITECTURE/acme-modules
    machine=$(readelf --file-header "$2" | sed -n 's/^ *Machine: *//p')
    case $2:$machine in
    build/x86_64/*:*X86-64 | build/aarch64/*:AArch64) install -D -m 0755 "$2" "$1/$2" ;;
    *)
        echo "$2 is a program for ${machine:-no machine}: put there what make build makes on such a machine." >&2
        exit 1
        ;;
    esac
}

# Every link of the pages in that tree leads to what is in it.
links() { # DIRECTORY
    checker=$PWD/.ci/release/links.py
    (cd "$1" && find . -name '*.md' -exec python3 "$checker" {} +)
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
