# Configuration files to start from; tests/unit/options-test reads them too.
EXTRA_DIST += %D%/vmrun.conf %D%/profiles/make.conf \
	%D%/profiles/offline-shell.conf %D%/profiles/git-shell.conf %D%/profiles/foot.conf \
	%D%/aliases/web.conf

# How compositors mark the windows of machines; tests/vm/windows tries sway's.
EXTRA_DIST += %D%/sway/vmrun %D%/kwin/vmrun.kwinrule

# What runs `vmrunctl gc` where systemd/ is not used.
EXTRA_DIST += %D%/vmrun-gc.crontab %D%/s6/vmrun-gc/run

# Profiles that are installed; tests/unit/profiles-test reads them.
profiledir = $(pkgdatadir)/profiles
dist_profile_DATA = profiles/make.conf profiles/ninja.conf profiles/foot.conf \
	profiles/firefox-esr.conf

# Rulesets that are installed; tests/unit/ruleset-test reads them too.
netdir = $(pkgdatadir)/net
dist_net_DATA = rulesets/web.nft rulesets/mail.nft rulesets/lan.nft rulesets/any.nft
