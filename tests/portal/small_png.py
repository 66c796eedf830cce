"""A screenshot with at most 64 colours: a third of the bytes, and no eye sees it in a page of text and lines."""

import struct
import zlib
from collections import Counter


def rows_of(data):
    """Width, and the rows of RGB bytes of a PNG as browsers make it (8 bits a channel, RGB or RGBA, not interlaced)."""
    at, packed = 8, b""
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + length]
        if kind == b"IHDR":
            width, height, _, colour_type = struct.unpack(">IIBB", body[:10])
            channels = {2: 3, 6: 4}[colour_type]
        if kind == b"IDAT":
            packed += body
        at += 12 + length
    return width, list(unfiltered(zlib.decompress(packed), width, height, channels))


def unfiltered(raw, width, height, channels):
    size = width * channels
    before = bytearray(size)
    for y in range(height):
        kind, line = raw[y * (size + 1)], bytearray(raw[y * (size + 1) + 1:(y + 1) * (size + 1)])
        for i in range(size):  # PNG specification, section 9.2
            left, corner = (line[i - channels], before[i - channels]) if i >= channels else (0, 0)
            up = before[i]
            if kind == 1:
                line[i] = (line[i] + left) & 255
            elif kind == 2:
                line[i] = (line[i] + up) & 255
            elif kind == 3:
                line[i] = (line[i] + (left + up) // 2) & 255
            elif kind == 4:
                guess = left + up - corner
                best = min((abs(guess - left), 0, left), (abs(guess - up), 1, up), (abs(guess - corner), 2, corner))[2]
                line[i] = (line[i] + best) & 255
        before = line
        yield [bytes(line[x:x + 3]) for x in range(0, size, channels)]


def nearest(colour, palette):
    return min(range(len(palette)), key=lambda at: sum((a - b) ** 2 for a, b in zip(colour, palette[at])))


def shrink(path):
    width, rows = rows_of(path.read_bytes())
    counts = Counter(colour for row in rows for colour in row)
    palette = palette_of(counts)
    places = {colour: nearest(colour, palette) for colour in counts}
    raw = b"".join(b"\0" + bytes(places[colour] for colour in row) for row in rows)

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, len(rows), 8, 3, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"PLTE", b"".join(palette)) +
                     chunk(b"IDAT", zlib.compress(raw, 9)) + chunk(b"IEND", b""))


def palette_of(counts, most=64):
    """The commonest colour of each small cube of colours, the commonest cubes first."""
    cubes = {}
    for colour, count in counts.most_common():
        cube = cubes.setdefault(tuple(channel >> 5 for channel in colour), [colour, 0])
        cube[1] += count
    first = [colour for colour, _ in counts.most_common(16)]
    others = [colour for colour, _ in sorted(cubes.values(), key=lambda cube: -cube[1]) if colour not in first]
    return (first + others)[:most]
