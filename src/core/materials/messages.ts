import { defineTexts } from '../errors/define.ts'

export const MATERIAL_MESSAGES = defineTexts({
  upload_processing: { zh: '文件正在上传', en: 'The file is being uploaded' },
  upload_active: { zh: '上传完成，可以使用', en: 'Upload complete and ready' },
  upload_hidden: { zh: '该课件已隐藏', en: 'The material is hidden' },
})
