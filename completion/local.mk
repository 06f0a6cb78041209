# Bash finds these by the command's name.
bashcompletion_DATA = %D%/vmrun %D%/vmrunctl
EXTRA_DIST += %D%/vmrun %D%/vmrunctl
