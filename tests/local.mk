include tests/unit/local.mk
include tests/fuzz/local.mk
include tests/sys/local.mk
include tests/fault/local.mk
include tests/vm/local.mk
include tests/lint/local.mk
include tests/bench/local.mk
