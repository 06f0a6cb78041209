# Manual pages, mdoc
dist_man_MANS += %D%/vmrun.1 %D%/vmrunctl.1 %D%/vmrun-security.7 \
	%D%/vmrun-init.8 %D%/vmrun-wire.7
