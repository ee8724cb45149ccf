export const line = 'x'.repeat(60_000)
for (;;) await Bun.write(Bun.stdout, line)
