"""What goes over the loopback interface to and from a DNS server, as the system saw it: nobody pays for being recorded.

Needs root, as every listening to an interface does.
"""
import collections
import ctypes
import socket
import struct

UPDATE = 5  # the opcode of RFC 2136, section 1.3
CNAME = 5  # the type of RFC 1035, section 3.2.2
IPV4 = 0x0800
ROOM = 32 << 20  # bytes for packets that are not read yet
SO_RCVBUFFORCE, SO_ATTACH_FILTER, SO_TIMESTAMPNS = 33, 26, 35  # <asm-generic/socket.h>

# A question or update and its answer, in seconds; `kind` is the type that is asked for, of an update its zone's.
Message = collections.namedtuple("Message", "begin end is_update kind is_refused")


class Recorder:
    """Records UDP and TCP of one port of 127.0.0.1. The system keeps the packets until they are taken."""

    def __init__(self, port):
        self.port = port
        self.packets = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(IPV4))
        self.packets.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, ROOM)
        self.packets.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.only_port()
        self.packets.bind(("lo", IPV4))
        self.packets.setblocking(False)

    def only_port(self):
        """Has the system pass over the packets of others (Documentation/networking/filter.rst)."""
        program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in (
            (0xB1, 0, 0, 0),  # the length of the IP header, where the ports begin
            (0x48, 0, 0, 0), (0x15, 2, 0, self.port),  # the source port
            (0x48, 0, 0, 2), (0x15, 0, 1, self.port),  # the destination port
            (0x06, 0, 0, 0xFFFF), (0x06, 0, 0, 0))))
        self.packets.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HP", 7, ctypes.addressof(program)))

    def take(self):
        """The messages since the last time, in the order of their answers."""
        begun, messages = {}, []
        while True:
            try:
                packet, notes, _, _ = self.packets.recvmsg(65_535, 256)
            except BlockingIOError:
                return messages
            seconds, nanoseconds = struct.unpack("qq", notes[0][2])
            self.note(packet, seconds + nanoseconds / 1e9, begun, messages)

    def note(self, packet, now, begun, messages):
        source, destination, message = taken_apart(packet)
        if len(message) < 12:
            return  # TCP's own
        peer = (packet[9], source if destination == self.port else destination, message[:2])
        if destination == self.port:
            begun.setdefault(peer, now)
            return
        kind = struct.unpack_from("!H", message, message.index(0, 12) + 1)[0]
        is_update = message[2] >> 3 & 15 == UPDATE
        messages.append(Message(begun.pop(peer), now, is_update, kind, message[3] & 15 not in (0, 3)))


def taken_apart(packet):
    """The ports and the DNS message of an IPv4 packet. Over the loopback interface a message comes in one."""
    start = (packet[0] & 15) * 4
    source, destination = struct.unpack_from("!HH", packet, start)
    if packet[9] == socket.IPPROTO_UDP:
        return source, destination, packet[start + 8:]
    # TCP has a length before each message (RFC 1035, section 4.2.2).
    return source, destination, packet[start + (packet[start + 12] >> 4) * 4 + 2:]
