# Manual pages, mdoc
dist_man_MANS += %D%/vmrun.1 %D%/vmrun-security.7
