import { defineErrors } from '../errors/define.ts'

export const PHOTO_FILE_ERRORS = defineErrors({
  UNSUPPORTED_PHOTO: {
    kind: 'unsupported',
    zh: '只支持 JPEG、PNG、WebP、TIFF、HEIC、AVIF 和 RAW 照片',
    en: 'Only JPEG, PNG, WebP, TIFF, HEIC, AVIF and RAW photos are accepted',
  },
  TYPE_NOT_ALLOWED: {
    kind: 'unsupported',
    zh: '本站不接受 {type} 文件，可上传：{allowed}',
    en: 'This site takes no files of type {type}; it takes {allowed}',
  },
  UPLOAD_DELETED: {
    kind: 'invalid_state',
    zh: '上传在完成前已被删除',
    en: 'The upload was deleted before it was complete',
  },
  UPLOAD_INCOMPLETE: {
    kind: 'invalid_state',
    zh: '文件尚未上传完成，请稍后重试',
    en: 'The file is still arriving; try again when the upload is complete',
  },
  STILL_PROCESSING: {
    kind: 'invalid_state',
    zh: '文件仍在处理中，请稍后重试',
    en: 'The file is still being processed; try again when that has ended',
  },
  FILE_OF_PHOTO: {
    kind: 'conflict',
    zh: '有照片正在使用该文件，请先删除照片',
    en: 'A photo uses this file; delete the photo first',
  },
  ADDRESS_EXPIRED: {
    kind: 'forbidden',
    zh: '此文件地址已过期，请重新获取照片信息',
    en: 'This address of a file has expired; fetch the photo again to get a new one',
  },
})
