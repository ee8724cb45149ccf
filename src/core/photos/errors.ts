import { defineErrors } from '../errors/define.ts'

export const PHOTO_ERRORS = defineErrors({
  UNKNOWN_FILE: {
    kind: 'invalid',
    zh: '你没有上传过文件 {file}',
    en: 'You have no uploaded file {file}',
  },
  FILE_IN_USE: {
    kind: 'conflict',
    zh: '该文件已用于另一张照片',
    en: 'Another photo has been made of this file',
  },
  HALF_A_PLACE: {
    kind: 'invalid',
    zh: '纬度和经度须同时填写',
    en: 'A latitude needs a longitude, and a longitude a latitude',
  },
  PHOTO_CHANGED: {
    kind: 'invalid_state',
    zh: '照片已被他人修改，请重新读取后再提交',
    en: 'The photo has changed since you read it; read it again and repeat your change',
  },
})
