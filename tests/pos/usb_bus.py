"""A USB bus below pyusb with one receipt printer on it: a back end as libusb is one."""

import array
import errno
from types import SimpleNamespace

from usb.backend import IBackend
from usb.core import USBError, USBTimeoutError

VENDOR, PRODUCT, SERIAL = 0x0416, 0x5011, "J7K2"
IN, OUT = 0x83, 0x02
_ANSWERS = {b"\x10\x04\x01": 0x12, b"\x10\x04\x02": 0x12, b"\x10\x04\x03": 0x12, b"\x10\x04\x04": 0x12}
_ASK_DONE = b"\x1dr\x01"


class Bus(IBackend):
    """The bus; it keeps what was written and answers as a printer that is ready."""

    def __init__(self, breaks_after=None):
        self.raw, self.answers, self.written_to = bytearray(), bytearray(), set()
        self.breaks_after = breaks_after

    def printed(self):
        """Return the paper: what was written without the questions."""
        kept = bytes(self.raw)
        for question in [*_ANSWERS, _ASK_DONE]:
            kept = kept.replace(question, b"")
        return kept

    def enumerate_devices(self):
        return iter(["printer"])

    def get_device_descriptor(self, dev):
        return SimpleNamespace(
            bLength=18, bDescriptorType=1, bcdUSB=0x200, bDeviceClass=0, bDeviceSubClass=0, bDeviceProtocol=0,
            bMaxPacketSize0=64, idVendor=VENDOR, idProduct=PRODUCT, bcdDevice=0x100, iManufacturer=1, iProduct=2,
            iSerialNumber=3, bNumConfigurations=1, address=4, bus=1, port_number=1, port_numbers=(1,), speed=3,
        )  # fmt: skip

    def get_configuration_descriptor(self, dev, config):
        return SimpleNamespace(
            bLength=9, bDescriptorType=2, wTotalLength=32, bNumInterfaces=1, bConfigurationValue=1, iConfiguration=0,
            bmAttributes=0xC0, bMaxPower=1, extra_descriptors=[],
        )  # fmt: skip

    def get_interface_descriptor(self, dev, intf, alt, config):
        if intf or alt:
            raise IndexError
        return SimpleNamespace(
            bLength=9, bDescriptorType=4, bInterfaceNumber=0, bAlternateSetting=0, bNumEndpoints=2,
            bInterfaceClass=7, bInterfaceSubClass=1, bInterfaceProtocol=2, iInterface=0, extra_descriptors=[],
        )  # fmt: skip

    def get_endpoint_descriptor(self, dev, ep, intf, alt, config):
        return SimpleNamespace(
            bLength=7, bDescriptorType=5, bEndpointAddress=(OUT, IN)[ep], bmAttributes=2, wMaxPacketSize=64,
            bInterval=0, bRefresh=0, bSynchAddress=0, extra_descriptors=[],
        )  # fmt: skip

    def open_device(self, dev):
        return "handle"

    def close_device(self, dev_handle):
        pass

    def set_configuration(self, dev_handle, config_value):
        pass

    def get_configuration(self, dev_handle):
        return 1

    def claim_interface(self, dev_handle, intf):
        pass

    def release_interface(self, dev_handle, intf):
        pass

    def reset_device(self, dev_handle):
        pass

    def ctrl_transfer(self, dev_handle, bmRequestType, bRequest, wValue, wIndex, data, timeout):  # noqa: N803
        texts = {0: b"\x04\x03\x09\x04", 3: bytes([2 + 2 * len(SERIAL), 3]) + SERIAL.encode("utf-16-le")}
        text = texts.get(wValue & 0xFF, b"\x02\x03")[: len(data)]
        data[: len(text)] = array.array("B", text)
        return len(text)

    def bulk_write(self, dev_handle, ep, intf, data, timeout):
        content = bytes(data)
        self.written_to.add(ep)
        if self.breaks_after is not None and len(self.raw) + len(content) > self.breaks_after:
            raise USBError("No such device (it may have been disconnected)", -4, errno.ENODEV)
        taken = content[:64]  # a transfer may take only a part
        self.raw += taken
        if taken in _ANSWERS:
            self.answers.append(_ANSWERS[taken])
        if bytes(self.raw).endswith(_ASK_DONE):
            self.answers.append(0)
        return len(taken)

    def bulk_read(self, dev_handle, ep, intf, buff, timeout):
        if not self.answers:
            raise USBTimeoutError("Operation timed out", -7, errno.ETIMEDOUT)
        got = bytes(self.answers[: len(buff)])
        del self.answers[: len(got)]
        buff[: len(got)] = array.array("B", got)
        return len(got)
