import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A font from a package, because a machine may have none. It has Chinese, Japanese and Latin letters, and no Hangul. */
export const CJK_FONT = join(
  dirname(fileURLToPath(import.meta.resolve('@embedpdf/fonts-sc'))),
  '../fonts/NotoSansHans-Regular.otf',
)
/** The name of the family in the file. */
export const CJK_FAMILY = 'Noto Sans S Chinese'
