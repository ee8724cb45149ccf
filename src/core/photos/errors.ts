import { defineErrors } from '../errors/define.ts'

export const PHOTO_ERRORS = defineErrors({
  FILE_IN_USE: {
    kind: 'conflict',
    zh: '该文件已用于另一张照片',
    en: 'Another photo has been made of this file',
  },
})
