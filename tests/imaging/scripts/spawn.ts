import { writeFileSync } from 'node:fs'

Bun.spawn(['/bin/sleep', process.argv[2]!], { stdout: 'inherit' })
writeFileSync('left-behind', 'x')
process.exit(0)
