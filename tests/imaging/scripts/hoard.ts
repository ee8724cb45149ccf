const hoard: Uint8Array[] = []
for (;;) hoard.push(new Uint8Array(8 * 1024 * 1024).fill(1))
