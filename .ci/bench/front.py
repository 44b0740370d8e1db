"""Counts what a client asks of the CA: nginx takes its HTTPS (HTTP/2 for who speaks it), and each request then waits here.

Every reply is held back for DELAY, so that requests which a client sends at once are seen at once: a request belongs to
a later round trip exactly where it came after the reply to another one. What a run takes here is what it takes against
a CA that is a round trip of DELAY away.
"""
import asyncio
import ssl
import threading

from measuring import end, free_port, start
from servers import wait_for

DELAY = 0.03


class Front:
    """An HTTPS server before the CA of `servers`, and the begin and end of each request since the last `take`."""

    def __init__(self, directory, servers):
        self.servers = servers
        self.requests = []
        self.port, self.inner = free_port(), free_port()
        self.trust = ssl.create_default_context(cafile=str(servers.certificate))
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.serve, daemon=True).start()
        configuration = directory / "nginx.conf"
        configuration.write_text(f"""
daemon off; master_process off; pid {directory}/nginx.pid; error_log /dev/null;
events {{ worker_connections 4096; }}
http {{
  access_log off; client_body_temp_path {directory}/body; proxy_temp_path {directory}/proxy;
  fastcgi_temp_path {directory}/f; uwsgi_temp_path {directory}/u; scgi_temp_path {directory}/s;
  server {{
    listen 127.0.0.1:{self.port} ssl http2; keepalive_requests 100000; http2_max_concurrent_streams 1000;
    ssl_certificate {servers.certificate}; ssl_certificate_key {servers.directory}/pebble.key;
    location / {{ proxy_pass http://127.0.0.1:{self.inner}; proxy_set_header Host $http_host; }}
  }}
}}
""")
        self.process = start(["nginx", "-p", str(directory), "-c", str(configuration)])
        wait_for(self.port)
        wait_for(self.inner)

    @property
    def url(self):
        return f"https://127.0.0.1:{self.port}/dir"

    def take(self):
        """How many requests there were, and how many of them one after the other."""
        requests, self.requests = self.requests, []
        return len(requests), depth(requests)

    def stop(self):
        end([self.process])
        self.loop.call_soon_threadsafe(self.loop.stop)

    def serve(self):
        asyncio.set_event_loop(self.loop)
        self.loop.run_until_complete(asyncio.start_server(self.answer, "127.0.0.1", self.inner, backlog=4096))
        self.loop.run_forever()

    async def answer(self, reader, writer):
        """nginx speaks HTTP/1.0 here, a connection for each request, and so does this to the CA."""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return writer.close()  # wait_for
        begin = self.loop.time()
        reply = await self.asked(head + await reader.readexactly(length(head)))
        await asyncio.sleep(begin + DELAY - self.loop.time())
        self.requests.append((begin, self.loop.time()))
        writer.write(reply)
        writer.close()

    async def asked(self, request):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.servers.ca, ssl=self.trust)
        writer.write(request)
        reply = await reader.read(-1)
        writer.close()
        return reply


def length(head):
    for field in head.decode("latin-1").split("\r\n"):
        name, _, value = field.partition(":")
        if name.lower() == "content-length":
            return int(value)
    return 0


def depth(requests):
    """The longest chain of requests of which each began after the one before it was answered."""
    longest = 0
    ended = []  # (end, length of the longest chain that ends with it), by end
    chains = sorted(requests)
    for begin, finish in chains:
        chain = 1 + max((count for over, count in ended if over <= begin), default=0)
        ended.append((finish, chain))
        longest = max(longest, chain)
    return longest
