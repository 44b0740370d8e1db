"""A relay in front of a DNS server that notes each message and when its answer came back.

A program that is pointed at the relay in place of the server pays for the way through it, about 0.1 ms a message.
"""
import dataclasses
import socket
import struct
import threading
import time

UPDATE = 5  # the opcode of RFC 2136, section 1.3
CNAME = 5  # the type of RFC 1035, section 3.2.2
PATIENCE = 10  # seconds


@dataclasses.dataclass
class Message:
    """A question or update and its answer, in seconds of time.perf_counter()."""

    begin: float
    end: float
    is_update: bool
    kind: int  # the type that is asked for; of an update, the zone's
    is_refused: bool


class Recorder:
    """Relays UDP and TCP of one port to the server's port; `messages` are in the order in which they were answered."""

    def __init__(self, server, port):
        self.server = ("127.0.0.1", server)
        self.address = f"127.0.0.1:{port}"
        self.messages = []
        self.datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.datagrams.bind(("127.0.0.1", port))
        self.listener = socket.create_server(("127.0.0.1", port))
        for work in (self.relay_datagrams, self.relay_connections):
            threading.Thread(target=work, daemon=True).start()

    def take(self):
        """The messages since the last time, forgotten here."""
        taken, self.messages = self.messages, []
        return taken

    def note(self, message, begin, answer):
        end_of_name = message.index(0, 12)
        kind = struct.unpack_from("!H", message, end_of_name + 1)[0]
        is_update = message[2] >> 3 & 15 == UPDATE
        self.messages.append(Message(begin, time.perf_counter(), is_update, kind, answer[3] & 15 not in (0, 3)))

    def relay_datagrams(self):
        while True:
            message, client = self.datagrams.recvfrom(65_535)
            begin = time.perf_counter()
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as onward:
                onward.settimeout(PATIENCE)
                onward.connect(self.server)
                onward.send(message)
                answer = onward.recv(65_535)
            self.note(message, begin, answer)
            self.datagrams.sendto(answer, client)

    def relay_connections(self):
        while True:
            client, _ = self.listener.accept()
            threading.Thread(target=self.relay_connection, args=[client], daemon=True).start()

    def relay_connection(self, client):
        with client, socket.create_connection(self.server, PATIENCE) as onward:
            while message := receive(client):
                begin = time.perf_counter()
                onward.sendall(framed(message))
                answer = receive(onward)
                self.note(message, begin, answer)
                client.sendall(framed(answer))


def framed(message):
    """With the length before it that TCP wants (RFC 1035, section 4.2.2)."""
    return struct.pack("!H", len(message)) + message


def receive(connection):
    """The next message of a TCP connection; empty where it has ended."""
    length = connection.recv(2, socket.MSG_WAITALL)
    return connection.recv(struct.unpack("!H", length)[0], socket.MSG_WAITALL) if len(length) == 2 else b""
