/** The ids of this contract: integers, with a word before those of uploads. */
import { t } from 'elysia'
import { integerText } from '../../http/integer-text.ts'
import { wholeNumber } from '../../http/models.ts'

export { presentFileId } from '../../live/events/photos.ts'

const range = { minimum: 1, maximum: 2_147_483_647 }
/** An id in a body. */
export const IdNumber = wholeNumber(range)
/** An id in a query or a path. */
export const IdText = integerText(range)

export const Id = t.Object({ id: IdText })

/** `upload_123`, the file that an upload became. */
export const FileId = t.String({ pattern: '^upload_[1-9]\\d{0,8}$' })
export const readFileId = (fileId: string): number => Number(fileId.slice('upload_'.length))

/** `chunked_123`, an upload that arrives in chunks. */
export const ChunkedId = t.String({ pattern: '^chunked_[1-9]\\d{0,8}$' })
export const presentChunkedId = (id: number): string => `chunked_${id}`
export const readChunkedId = (id: string): number => Number(id.slice('chunked_'.length))
