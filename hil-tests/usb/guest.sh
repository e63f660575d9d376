# Inside the VM, before COMMAND: the docks' ends of two USB cables, and udev. COMMAND finds
#   /sys/kernel/config/usb_gadget/dock0 and dock1, the docks RW02-0005 and RW02-0006, plugged in: their file UDC is the plug
#   /dev/ttyUSB0, an adapter of FTDI's kind with nothing behind it
#   USB_VM=1 in its environment
export PATH HOME=/tmp TERM=dumb USB_VM=1
PATH=$(cat /run/vm/path)
folder=$(cat /run/vm/folder)
ip link set lo up
mkdir -p /run/udev "$folder"
mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144 folder "$folder"
/lib/systemd/systemd-udevd --daemon 2>/dev/null

# gadget NUMBER SERIAL: makes a dock that is a USB serial port, and plugs it in.
gadget() {
  local at=/sys/kernel/config/usb_gadget/dock$1
  mkdir -p "$at/strings/0x409" "$at/functions/acm.$1" "$at/configs/c.1"
  echo 0x17e9 >"$at/idVendor"
  echo 0x7450 >"$at/idProduct"
  echo DisplayLink >"$at/strings/0x409/manufacturer"
  echo DL-7450 >"$at/strings/0x409/product"
  echo "$2" >"$at/strings/0x409/serialnumber"
  ln -s "$at/functions/acm.$1" "$at/configs/c.1/"
  echo "dummy_udc.$1" >"$at/UDC"
}
gadget 0 RW02-0005
gadget 1 RW02-0006
udevadm trigger
udevadm settle --timeout=20

bash /run/vm/command </dev/null 2>&1 | cat # which isn't a terminal, so that nothing is drawn on it
echo "${PIPESTATUS[0]}" >/run/vm/code
sync
echo o >/proc/sysrq-trigger; while :; do :; done # on one line: nothing can be read any more
