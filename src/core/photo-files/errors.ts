import { defineErrors } from '../errors/define.ts'

export const PHOTO_FILE_ERRORS = defineErrors({
  UNSUPPORTED_PHOTO: {
    kind: 'unsupported',
    zh: '只支持 JPEG、PNG、WebP、TIFF、HEIC、AVIF 和 RAW 照片',
    en: 'Only JPEG, PNG, WebP, TIFF, HEIC, AVIF and RAW photos are accepted',
  },
})
