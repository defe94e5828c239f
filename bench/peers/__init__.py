"""What pysmon and other sensors cost, side by side in a virtual machine in which one instruction takes one ns."""
