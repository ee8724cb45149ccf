import { defineErrors } from '../errors/define.ts'

export const MATERIAL_ERRORS = defineErrors({
  UNKNOWN_MATERIAL_TYPE: {
    kind: 'invalid',
    zh: '课件类型应为 video 或 pdf',
    en: 'The material type is video or pdf',
  },
  MATERIAL_HIDDEN: {
    kind: 'invalid_state',
    zh: '该课件已隐藏，不能执行此操作',
    en: 'The material is hidden; this is not possible',
  },
  ALREADY_DELETED: {
    kind: 'invalid_state',
    zh: '该课件已经删除',
    en: 'The material has been deleted already',
  },
  UNSUPPORTED_FILE_TYPE: {
    kind: 'unsupported',
    zh: '只支持 mp4、webm 和 pdf 文件',
    en: 'Only mp4, webm and pdf files are accepted',
  },
})
