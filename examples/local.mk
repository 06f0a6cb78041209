# What is below goes to $(docdir)/examples.
exampledir = $(docdir)
nobase_dist_example_DATA =

# Configuration files to start from; tests/unit/options-test reads them too.
nobase_dist_example_DATA += %D%/vmrun.conf %D%/profiles/make.conf \
	%D%/profiles/offline-shell.conf %D%/profiles/git-shell.conf %D%/profiles/foot.conf \
	%D%/aliases/web.conf

# How compositors mark the windows of machines; tests/vm/windows tries sway's.
nobase_dist_example_DATA += %D%/sway/vmrun %D%/kwin/vmrun.kwinrule

# How an administrator gives up a network card for `uplink = pci:`.
nobase_dist_example_DATA += %D%/vfio/70-vmrun-vfio.rules %D%/vfio/vmrun-vfio.modprobe.conf \
	%D%/vfio/vmrun-vfio.limits.conf

# What runs `vmrunctl gc` where systemd/ is not used.
nobase_dist_example_DATA += %D%/vmrun-gc.crontab
nobase_dist_example_SCRIPTS = %D%/s6/vmrun-gc/run

# Profiles that are installed; tests/unit/profiles-test reads them.
profiledir = $(pkgdatadir)/profiles
dist_profile_DATA = profiles/make.conf profiles/ninja.conf profiles/foot.conf \
	profiles/firefox-esr.conf

# Rulesets that are installed; tests/unit/ruleset-test reads them too.
netdir = $(pkgdatadir)/net
dist_net_DATA = rulesets/web.nft rulesets/mail.nft rulesets/lan.nft rulesets/any.nft \
	rulesets/doh.list
