#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Of tests/weak/table what is quickly built and tried: one defence each of
# streams, grants and UIDs.
exec sh "${top_srcdir:?}/tests/weak/weak.sh" mux-credit grant-mask-back state-free
