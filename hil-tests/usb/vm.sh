#!/usr/bin/env bash
# vm.sh COMMAND [ARG...]: runs COMMAND in the present folder, in a small Linux VM with two docks' USB cables plugged in.
#
# The VM is QEMU without KVM, its kernel the one that Debian packages. Two USB gadgets are the docks' ends, /dev/ttyGS0 and /dev/ttyGS1;
# dummy_hcd joins them to the same kernel's cdc-acm driver, whose ports /dev/ttyACM0 and /dev/ttyACM1 are as real as those of a dock on a
# desk. QEMU adds a UART adapter, /dev/ttyUSB0, with nothing behind it. See guest.sh for what COMMAND finds. The present folder can be
# written; everything else of this machine can only be read.
#
# Exits with COMMAND's own code; with 3 and a reason where the VM can't be had; with 124 after USB_VM_SECONDS, 900 unless set.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/dl7450-usb-vm-2
modules=(virtio_pci 9pnet_virtio 9p configfs dummy_hcd usb_f_acm cdc_acm xhci_pci ftdi_sio)

cannot() {
  printf 'The USB tests need a Linux VM, which can'\''t be had here: %s\n' "$*" >&2
  exit 3
}

# Installs what is missing, where that is allowed.
install_tools() {
  local missing=()
  command -v qemu-system-x86_64 >/dev/null || missing+=(qemu-system-x86)
  command -v cpio >/dev/null || missing+=(cpio)
  command -v modprobe >/dev/null || missing+=(kmod)
  [ -x /lib/systemd/systemd-udevd ] || missing+=(udev)
  [ ${#missing[@]} -gt 0 ] || return 0
  [ "$(id -u)" -eq 0 ] || cannot "please install ${missing[*]} (sudo apt-get install ${missing[*]})."
  apt-get update -qq >/dev/null 2>&1 || true # what is known of the packages may do
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${missing[@]}" >/dev/null 2>&1 || cannot "apt-get can't install ${missing[*]}."
}

# Unpacks the newest kernel that is packaged, and busybox, without installing them.
unpack_kernel() {
  local into=$1 packages image
  packages=$(mktemp -d)
  [ "$(id -u)" -ne 0 ] || apt-get update -qq >/dev/null 2>&1 || true
  image=$(apt-cache depends linux-image-amd64 2>/dev/null | awk '/Depends: linux-image-[0-9]/ { print $2; exit }')
  [ -n "$image" ] || cannot "there is no package linux-image-amd64: only Debian's kernel has been tried."
  (cd "$packages" && apt-get download -qq "$image" busybox-static >/dev/null 2>&1) || cannot "apt-get can't fetch $image and busybox-static."
  for package in "$packages"/*.deb; do dpkg-deb -x "$package" "$into"; done
  rm -rf "$packages"
}

# A first file system with busybox and the modules that the VM needs, in the order in which they are loaded.
make_first_files() {
  local from=$1 into=$2 kernel=$3
  mkdir -p "$into"/{bin,dev,proc,sys,modules,root}
  cp "$from/bin/busybox" "$into/bin/"
  cp "$here/init" "$into/init"
  depmod -b "$from" "$kernel"
  for module in "${modules[@]}"; do
    modprobe -d "$from" -S "$kernel" --show-depends "$module" | awk '$1 == "insmod" { print $2 }'
  done | awk '!seen[$0]++' | while read -r file; do
    cp "$file" "$into/modules/"
    basename "$file" >>"$into/modules/in-order"
  done
}

# Makes what the VM boots from, once. What is unfinished has another name, so that a run that was broken off leaves nothing in the way.
make_machine() {
  local work kernel
  [ ! -e "$cache/first-files.gz" ] || return 0
  work=$(mktemp -d)
  unpack_kernel "$work/unpacked"
  kernel=$(basename "$work"/unpacked/boot/vmlinuz-*)
  make_first_files "$work/unpacked" "$work/first" "${kernel#vmlinuz-}"
  mkdir -p "$cache"
  cp "$work/unpacked/boot/$kernel" "$cache/kernel"
  (cd "$work/first" && find . | cpio -o -H newc --quiet | gzip -1) >"$work/first-files.gz"
  mv "$work/first-files.gz" "$cache/"
  rm -rf "$work"
}

[ $# -gt 0 ] || { sed -n '2,11s/^# \{0,1\}//p' "$0"; exit 2; }
[ "$(uname -s)-$(uname -m)" = Linux-x86_64 ] || cannot "this is $(uname -s) on $(uname -m), and the VM is Linux on x86_64."
command -v apt-get >/dev/null || cannot "there is no apt-get: only Debian is known."
install_tools
make_machine

run=$(mktemp -d)
trap 'rm -rf "$run"' EXIT
cp "$here/guest.sh" "$run/"
printf '%q ' cd "$PWD" >"$run/command"
printf '&& ' >>"$run/command"
printf '%q ' "$@" >>"$run/command"
printf '%s\n' "$PWD" >"$run/folder"
printf '%s\n' "$PATH" >"$run/path"
share() { printf 'local,path=%s,mount_tag=%s,id=%s,security_model=none,multidevs=remap%s' "$1" "$2" "$2" "$3"; }
# The console carries what COMMAND prints; the firmware and the kernel's last words go along it as well.
set -m # a process group of its own, to be ended whole
timeout "${USB_VM_SECONDS:-900}" qemu-system-x86_64 -accel tcg,thread=multi -smp 2 -m 3072 -no-reboot \
  -display none -monitor none -serial stdio -kernel "$cache/kernel" -initrd "$cache/first-files.gz" \
  -append 'console=ttyS0 quiet loglevel=1 panic=-1' \
  -device qemu-xhci -chardev null,id=nothing -device usb-serial,chardev=nothing,serial=ADAPTER,always-plugged=on \
  -virtfs "$(share / root ,readonly=on)" -virtfs "$(share "$PWD" folder '')" -virtfs "$(share "$run" run '')" </dev/null 2>"$run/qemu" |
  sed -u -e 's/\r$//' -e '/SeaBIOS/d' -e '/sysrq: Power Off\|reboot: Power down/d' &
vm=$(jobs -p)
trap 'kill -- "-$vm"' TERM INT HUP
wait || true
[ -s "$run/code" ] && exit "$(cat "$run/code")"
[ ! -s "$run/qemu" ] || cannot "$(cat "$run/qemu")"
exit 124
