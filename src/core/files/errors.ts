import { defineErrors, defineTexts } from '../errors/define.ts'

export const FILE_ERRORS = defineErrors({
  FILE_TOO_LARGE: {
    kind: 'too_large',
    zh: '文件过大（上限 {limitMb} MB）',
    en: 'The file is larger than {limitMb} MB',
  },
  UPLOAD_FAILED: {
    kind: 'failed',
    zh: '文件保存失败，请重试',
    en: 'The file could not be stored; try again',
  },
  DIGEST_MISMATCH: {
    kind: 'invalid',
    zh: '收到的内容与校验和不符，请重新上传',
    en: 'The content that arrived does not have the digest that was sent; upload it again',
  },
  UPLOAD_TOO_SLOW: {
    kind: 'timeout',
    zh: '上传速度过慢，已停止，请在网络恢复后重试',
    en: 'The upload was too slow and was stopped; try again on a better connection',
  },
  TOO_MANY_UPLOADS: {
    kind: 'limited',
    zh: '同时上传的文件不能超过 {limit} 个，请等待其中一个完成',
    en: 'You can upload at most {limit} files at the same time; wait until one of them is complete',
  },
})

export const FILE_RULES = defineTexts({
  one_file: { zh: '请只上传一个文件', en: 'takes exactly one file' },
  empty_file: { zh: '文件是空的', en: 'is empty' },
})
