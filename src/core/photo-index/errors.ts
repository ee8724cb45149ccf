import { defineErrors } from '../errors/define.ts'

export const PHOTO_INDEX_ERRORS = defineErrors({
  /** Of a photo that the input names, also when the viewer may not see it. */
  UNKNOWN_PHOTO: { kind: 'invalid', zh: '照片 {photo} 不存在', en: 'There is no photo {photo}' },
})
