"""What makes a machine run something when something happens: units of systemd, rules of udev, tables of cron."""
