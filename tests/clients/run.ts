/** Runs a program to its end. @returns what it wrote; throws when it fails */
export async function run(
  command: string[],
  options: { cwd?: string; env?: Record<string, string | undefined>; stdin?: Blob } = {},
): Promise<string> {
  const program = Bun.spawn(command, { ...options, stdout: 'pipe', stderr: 'pipe' })
  const [output, errors] = await Promise.all([program.stdout.text(), program.stderr.text()])
  if ((await program.exited) !== 0) throw new Error(`${command.join(' ')}\n${output}\n${errors}`)
  return output
}
