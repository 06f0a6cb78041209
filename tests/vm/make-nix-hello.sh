#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Makes a store item with a closure of three, and prints its path.
#
# hello's bin/hello prints the text of another item, greeting, and its
# arguments: it works only where the whole closure is visible.  It finds greeting
# by a third item, which is a symbolic link.  Needs nix-store
# and nix-instantiate, and a store that the person may write to (as after
# `chown -R person /nix`, the single-user way).  Nothing is downloaded.
set -eu

# No other builders' accounts, and nothing from the network.
export NIX_CONFIG='sandbox = false
substitute = false
build-users-group ='

if ! command -v nix-store >/dev/null || ! command -v nix-instantiate \
	>/dev/null; then
	echo 'make-nix-hello: nix-store or nix-instantiate is missing' >&2
	exit 77
fi

expr='let
  make = name: text: derivation {
    inherit name;
    system = builtins.currentSystem;
    builder = "/bin/sh";
    PATH = "/usr/bin:/bin";
    args = [ "-euc" text ];
  };
  greeting = make "greeting" "mkdir $out; echo Hello, store > $out/text";
  link = make "link" "ln -s ${greeting} $out";
in make "hello" '"''"'
  mkdir -p $out/bin
  { echo "#!/bin/sh"
    echo "read -r text < ${link}/text"
    echo "echo \"\$text\" \"\$@\""; } > $out/bin/hello
  chmod 755 $out/bin/hello
'"''"

# Warnings (no gcroot was made) stay out of the way.
if ! drv=$(nix-instantiate --expr "$expr" 2>/dev/null); then
	echo 'make-nix-hello: the store cannot be written to' >&2
	exit 77
fi
nix-store --realise "$drv" 2>/dev/null
