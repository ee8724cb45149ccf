"""Connects to the test's server where a program connects to port 8000, so that the program runs unchanged."""

import os
import socket

connect = socket.socket.connect


def connect_here(self, address):
    if address[1] != 8000:
        return connect(self, address)
    if self.family == socket.AF_INET6:
        raise ConnectionRefusedError("the server of the test listens on IPv4")
    return connect(self, ("127.0.0.1", int(os.environ["ROOST_PORT"])))


socket.socket.connect = connect_here
