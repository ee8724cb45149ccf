import { defineTexts } from '../errors/define.ts'

/** Why a file could not be processed, by the code in lower case. */
export const PHOTO_FILE_MESSAGES = defineTexts({
  photo_unreadable: {
    zh: '文件已损坏，或其内容无法识别',
    en: 'The file is damaged, or its content cannot be read',
  },
  photo_too_many_pixels: {
    zh: '照片的像素过多，无法处理',
    en: 'The photo has too many pixels to be processed',
  },
  photo_no_preview: {
    zh: 'RAW 文件中没有可用的预览图，请上传由相机或软件导出的 JPEG',
    en: 'The RAW file has no preview that can be used; upload a JPEG made by the camera or a program',
  },
  photo_timeout: { zh: '照片的处理时间过长，已停止', en: 'The photo took too long and was stopped' },
  photo_memory: { zh: '处理该照片需要的内存过多', en: 'The photo needs too much memory' },
  photo_processing_failed: {
    zh: '照片处理失败，请稍后重新处理',
    en: 'The photo could not be processed; reprocess it later',
  },
})

/** @param code `failure` of a file */
export function failureKey(code: string): keyof typeof PHOTO_FILE_MESSAGES {
  const key = `photo_${code.toLowerCase()}`
  return Object.hasOwn(PHOTO_FILE_MESSAGES, key)
    ? (key as keyof typeof PHOTO_FILE_MESSAGES)
    : 'photo_processing_failed'
}
